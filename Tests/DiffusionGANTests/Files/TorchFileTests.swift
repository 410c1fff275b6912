import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// Small files that torch 2.15 wrote: a state dictionary of views, types and shapes.
@Suite struct TorchFileTests {
  static let folder = Golden.folder + "/published/"

  static func bytes(_ name: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: folder + name)))
  }

  /// `arange(24).reshape(4, 6) / 8 - 1`.
  static let plain = (0..<24).map { Float($0) / 8 - 1 }

  @Test(arguments: ["state.pt", "state-legacy.pth"]) func stateDictionary(_ name: String) throws {
    let file = try WeightsFile.open(Self.folder + name)
    #expect(file.names.count == 15)
    #expect(try file.shape(of: "plain") == [4, 6] && file.floats("plain") == Self.plain)
    #expect(try file.shape(of: "transposed") == [6, 4])
    #expect(
      try file.floats("transposed") == (0..<24).map { Self.plain[$0 % 4 * 6 + $0 / 4] })
    #expect(try file.shape(of: "part") == [2, 3])
    #expect(try file.floats("part") == [8, 9, 10, 14, 15, 16].map { Self.plain[$0] })
    #expect(try file.shape(of: "single") == [] && file.floats("single") == [0.5])
    #expect(try file.shape(of: "none") == [0, 3] && file.floats("none") == [])
    #expect(try file.floats("double") == [Float(1.0 / 3), Float(-2e-3)])
    // 1e-4 rounded to 11 and to 8 bits.
    #expect(try file.floats("half") == [0.25, -3, 1.00016594e-4])
    #expect(try file.floats("bfloat") == [0.25, -3, 1.001358e-4])
    #expect(try file.integers("long") == [-5, 1 << 40])
    #expect(try file.integers("int") == [-5, 1 << 20])
    #expect(try file.integers("short") == [-5, 300])
    #expect(try file.integers("char") == [-5, 7])
    #expect(try file.integers("byte") == [200, 7] && file.shape(of: "byte") == [2, 1])
    #expect(try file.integers("bool") == [1, 0])
    #expect(try file.floats("parameter") == [1.5, -2.5])
    expectUserError(name, "\"long\"", "I64 where floating-point") { _ = try file.floats("long") }
    expectUserError(name, "\"plain\"", "F32 where whole") { _ = try file.integers("plain") }
    expectUserError(name, "no array \"other\"") { _ = try file.floats("other") }
  }

  /// Tensors inside a plain pickle, by protocols 0, 2 and 4.
  @Test(arguments: [0, 2, 4]) func plainPickle(_ number: Int) throws {
    let file = try TorchFile(MappedFile(Self.folder + "state-\(number).pkl"))
    #expect(file.names == ["long", "parameter", "plain", "transposed"])
    #expect(try file.floats("plain") == Self.plain)
    #expect(
      try file.floats("transposed") == (0..<24).map { Self.plain[$0 % 4 * 6 + $0 / 4] })
    #expect(try file.integers("long") == [-5, 1 << 40])
  }

  /// Among other things of a training run, behind the prefix of a parallel wrapper.
  @Test func wrapped() throws {
    let file = try WeightsFile.open(Self.folder + "wrapped.pt")
    #expect(file.names == ["part", "plain"])
    #expect(try file.floats("plain") == Self.plain)
  }

  @Test(arguments: ["evil.pt", "evil-legacy.pt"]) func whatNoWeightsNeedIsRefused(
    _ name: String
  ) throws {
    expectUserError(name, "byte", "asks for \"posix.system\"", "nothing of it was run") {
      _ = try WeightsFile.open(Self.folder + name)
    }
    #expect(!FileManager.default.fileExists(atPath: "/tmp/it-was-run"))
  }

  @Test func aFileWithoutWeightsIsTold() throws {
    let scratch = try Scratch()
    // {'epoch': 3}
    let path = try scratch.write(
      "a.pkl", [0x80, 2] + Array("}U\u{5}epochK\u{3}s.".utf8))
    expectUserError(path, "holds no state dictionary (it has epoch)") {
      _ = try WeightsFile.open(path)
    }
    let zip = try scratch.write("a.pt", ZipBuilder([("a/b", [1])]).bytes)
    expectUserError(zip, "zip archive without data.pkl") { _ = try WeightsFile.open(zip) }
  }

  /// Whatever is cut off or changed, there is an error or a file, never a crash.
  @Test(arguments: ["state.pt", "state-legacy.pth", "state-0.pkl", "state-4.pkl"])
  func damageIsSeenOrHarmless(_ name: String) throws {
    func read(_ bytes: [UInt8]) throws {
      let file = try TorchFile(MappedFile(copying: bytes, path: name))
      for array in file.names {
        _ = try? file.floats(array)
        _ = try? file.integers(array)
      }
    }
    let bytes = try Self.bytes(name)
    for end in stride(from: 1, to: bytes.count, by: 3) {
      #expect(throws: UserError.self, "cut at \(end)") { try read(Array(bytes.prefix(end))) }
    }
    var stream = RandomStream(seed: 3)
    for _ in 0..<3000 {
      var changed = bytes
      for _ in 0...stream.integer(below: 3) {
        changed[stream.integer(below: bytes.count)] = UInt8(stream.integer(below: 256))
      }
      do { try read(changed) } catch is UserError {}
    }
  }

  @Test func tensorsThatDoNotFitTheirStorage() throws {
    let storage = TorchStorage(
      bytes: FileBytes(MappedFile(copying: [UInt8](repeating: 0, count: 24), path: "a")),
      type: .float32)
    func tensor(_ offset: Int, _ shape: [Int], _ strides: [Int]) throws -> TorchTensor {
      try TorchTensor(storage, offset: offset, shape: shape, strides: strides, place: "a")
    }
    _ = try tensor(0, [2, 3], [3, 1])
    for (offset, shape, strides) in [
      (1, [2, 3], [3, 1]), (0, [7], [1]), (0, [3], [-1]), (-1, [1], [1]), (0, [1 << 40], [0]),
      (0, [1 << 40, 1 << 40], [1, 1]), (0, [2], [Int.max]), (Int.max, [2], [1]), (0, [2, 3], [1]),
    ] {
      expectUserError("does not fit its 6 numbers") { _ = try tensor(offset, shape, strides) }
    }
  }
}
