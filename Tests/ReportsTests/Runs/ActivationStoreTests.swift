import Foundation
import Reports
import TensorCore
import Testing

@Suite struct ActivationStoreTests {
  let path: String
  let store: ActivationStore
  let key = "fitted-vector/multi-demo-rule/held-out/3"

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/run-\(UUID().uuidString)"
    try Files.makeFolder(path)
    store = ActivationStore(run: path)
  }

  /// Numbers that lose bits in text or arithmetic.
  private let delicate: [Float] = [
    0.1, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity,
    Float(bitPattern: 0x7FC0_1234),
  ]

  private var tensors: [(name: String, tensor: Tensor)] {
    [
      (
        ActivationStore.name(hook: "blocks.3.hook_resid_post", role: "answer"),
        Tensor(delicate, shape: [2, 3])
      ),
      ("blocks.3.attn.hook_z|last", Tensor([1, 2, 3, 4], shape: [4])),
    ]
  }

  @Test func keepsEveryBit() throws {
    #expect(!store.contains(key))
    try store.write(tensors, for: key)
    #expect(store.contains(key) && !store.contains(key + "1"))
    let file = try store.tensors(
      for: key, shapes: ["blocks.3.hook_resid_post|answer": [2, 3]])
    #expect(file.names == ["blocks.3.attn.hook_z|last", "blocks.3.hook_resid_post|answer"])
    #expect(
      try file.floats("blocks.3.hook_resid_post|answer").map(\.bitPattern)
        == delicate.map(\.bitPattern))
    #expect(try file.floats("blocks.3.attn.hook_z|last") == [1, 2, 3, 4])
  }

  @Test func everyKeyHasAFileOfItsOwn() throws {
    let long = String(repeating: "a/", count: 400)
    let keys = [
      "a/b", "a%2Fb", "a_b", "a b", "A/b", "..", ".", "", "é", "e\u{301}", "a\0b", "a\nb",
      long + "1", long + "2",
    ]
    let names = keys.map { store.path(for: $0).dropFirst(store.folder.count + 1) }
    #expect(Set(names).count == keys.count)
    for name in names {
      #expect(name.utf8.count <= 230 && !name.contains("/") && !name.hasPrefix("."))
    }
    #expect(
      store.path(for: key) == path
        + "/activations/fitted-vector%2Fmulti-demo-rule%2Fheld-out%2F3.safetensors")
    for key in keys { try store.write([("x", Tensor([1], shape: [1]))], for: key) }
    for key in keys { #expect(try store.tensors(for: key).metadata["key"] == key) }
  }

  @Test func whatWasBeingWrittenIsNotThere() throws {
    try Files.makeFolder(store.folder)
    let file = store.path(for: key)
    // A process that was killed while writing, and a disk that forgot the end of a file.
    try Files.write(Data("half".utf8), to: file + ".123.tmp")
    #expect(!store.contains(key))
    let missing = #expect(throws: UserError.self) { try store.tensors(for: key) }
    #expect(missing?.problem == "the activations of \"\(key)\" are not there")
    try store.write(tensors, for: key)
    try Files.write(Files.read(file).dropLast(), to: file)
    #expect(!store.contains(key))
    let error = #expect(throws: UserError.self) { try store.tensors(for: key) }
    #expect(error?.remedy?.hasPrefix("compute it anew with: rm ") == true)
    try store.write(tensors, for: key)
    #expect(store.contains(key))
  }

  @Test func anotherShapeOrUnitIsRefused() throws {
    try store.write(tensors, for: key)
    for (shapes, words) in [
      (["blocks.3.attn.hook_z|last": [2, 2]], "F32 of the shape [4] where F32 of [2, 2] belongs"),
      (["blocks.9.hook_z|last": [4]], "has no array \"blocks.9.hook_z|last\""),
    ] {
      let error = #expect(throws: UserError.self) { try store.tensors(for: key, shapes: shapes) }
      #expect(error?.problem.contains(words) == true, "\(error?.description ?? "")")
      #expect(error?.place == store.path(for: key))
    }
    try FileManager.default.copyItem(atPath: store.path(for: key), toPath: store.path(for: "b"))
    let error = #expect(throws: UserError.self) { try store.tensors(for: "b") }
    #expect(error?.problem == "holds the activations of \"\(key)\" where those of \"b\" belong")
  }

  @Test func aFullDiskLeavesNothing() throws {
    try store.write(tensors, for: "before")
    let large = Tensor(repeating: 1, shape: [20_000_000])
    try FileLimit.below(60_000_000) {
      let error = #expect(throws: UserError.self) { try store.write([("x", large)], for: key) }
      #expect(error?.problem.hasPrefix("cannot be written") == true)
    }
    #expect(!store.contains(key) && store.contains("before"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).count == 1)
  }
}

/// A disk that is full once a file reaches a size.
enum FileLimit {
  static func below(_ bytes: UInt, _ body: () throws -> Void) throws {
    signal(SIGXFSZ, SIG_IGN)
    let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    var before = rlimit()
    getrlimit(resource, &before)
    var limit = before
    limit.rlim_cur = bytes
    setrlimit(resource, &limit)
    defer { setrlimit(resource, &before) }
    try body()
  }
}
