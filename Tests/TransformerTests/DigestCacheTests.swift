import Foundation
import Synchronization
import Testing

@testable import TensorCore
@testable import Transformer

@Suite struct DigestCacheTests {
  /// Counts the files that are read.
  final class Hasher: Sendable {
    let reads = Mutex<[String]>([])

    func hash(_ path: String) throws -> String {
      reads.withLock { $0.append(path) }
      return try SHA256.hash(ofFile: path)
    }

    var count: Int { reads.withLock { $0.count } }
  }

  let folder: TemporaryFolder
  let hasher = Hasher()
  let file: String
  static let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  /// Of "abd", from sha256sum.
  static let abd = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9"

  init() throws {
    folder = try TemporaryFolder()
    file = folder.path + "/model.gguf"
    try folder.write("abc", to: "model.gguf")
  }

  /// A cache of an hour later, when no file is new any more.
  private func cache(_ path: String? = nil, after seconds: Double = 3600) -> DigestCache {
    DigestCache(
      path: path ?? folder.path + "/cache/digests.jsonl", smallest: 0,
      hash: { [hasher] in try hasher.hash($0) }, now: { Date().addingTimeInterval(seconds) })
  }

  @Test func anUnchangedFileIsReadOnce() throws {
    for _ in 0..<3 { #expect(try cache().digest(ofFile: file) == Self.abc) }
    #expect(hasher.count == 1)
    // The same file by another name.
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/link", withDestinationPath: file)
    #expect(try cache().digest(ofFile: folder.path + "/link") == Self.abc)
    #expect(hasher.count == 1)
    // Another file of the same contents.
    try folder.copy(file, to: "copy.gguf")
    #expect(try cache().digest(ofFile: folder.path + "/copy.gguf") == Self.abc)
    #expect(try cache().digest(ofFile: file) == Self.abc)
    #expect(hasher.count == 2)
  }

  @Test func aChangedFileOfTheSameSizeIsReadAgain() throws {
    #expect(try cache().digest(ofFile: file) == Self.abc)
    let before = try FileManager.default.attributesOfItem(atPath: file)
    try write("abd")
    #expect(try cache().digest(ofFile: file) == Self.abd)
    // Set back to the time that it had, as tools that copy do.
    try write("abc")
    try FileManager.default.setAttributes(
      [.modificationDate: try #require(before[.modificationDate])], ofItemAtPath: file)
    #expect(try cache().digest(ofFile: file) == Self.abc)
    #expect(hasher.count == 3)
    // Another file in its place.
    try FileManager.default.removeItem(atPath: file)
    try folder.write("abd", to: "model.gguf")
    #expect(try cache().digest(ofFile: file) == Self.abd)
    #expect(hasher.count == 4)
  }

  /// Into the same file, so that its inode stays.
  private func write(_ text: String) throws {
    let handle = try #require(FileHandle(forWritingAtPath: file))
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  @Test func aNewFileIsNotRemembered() throws {
    for _ in 0..<2 { #expect(try cache(after: 0).digest(ofFile: file) == Self.abc) }
    #expect(hasher.count == 2)
    #expect(try cache(after: 3).digest(ofFile: file) == Self.abc)
    #expect(try cache(after: 3).digest(ofFile: file) == Self.abc)
    #expect(hasher.count == 3)
  }

  @Test func aFileThatChangesMeanwhileIsNotRemembered() throws {
    let file = file
    let cache = DigestCache(
      path: folder.path + "/digests.jsonl", smallest: 0,
      hash: {
        let digest = try SHA256.hash(ofFile: $0)
        try Data("abdabd".utf8).write(to: URL(fileURLWithPath: file))
        return digest
      }, now: { Date().addingTimeInterval(3600) })
    #expect(try cache.digest(ofFile: file) == Self.abc)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/digests.jsonl"))
  }

  @Test func smallFilesAreNotRemembered() throws {
    let cache = DigestCache(path: folder.path + "/digests.jsonl")
    #expect(try cache.digest(ofFile: file) == Self.abc)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/digests.jsonl"))
  }

  @Test(arguments: [
    "\u{0}\u{1}garbage", "{\"path\": 3}\n[]\n\n{", "{\"path\": \"MODEL\", \"sha256\": \"00\"}\n",
  ]) func aDamagedFileIsWrittenAnew(_ text: String) throws {
    try folder.write(text.replacing("MODEL", with: file), to: "digests.jsonl")
    let path = folder.path + "/digests.jsonl"
    for _ in 0..<2 { #expect(try cache(path).digest(ofFile: file) == Self.abc) }
    #expect(hasher.count == 1)
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 1)
    let line = try JSONValue(parsing: Data(lines[0].utf8), place: path)
    #expect(line["sha256"] == .string(Self.abc) && line["bytes"] == 3)
  }

  @Test func oneBadLineCostsNoOther() throws {
    try folder.copy(file, to: "copy.gguf")
    let path = folder.path + "/digests.jsonl"
    for name in ["model.gguf", "copy.gguf"] {
      _ = try cache(path).digest(ofFile: "\(folder.path)/\(name)")
    }
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    try folder.write("\(lines[0].dropLast(5))\n\(lines[1])\n", to: "digests.jsonl")
    for name in ["model.gguf", "copy.gguf"] {
      #expect(try cache(path).digest(ofFile: "\(folder.path)/\(name)") == Self.abc)
    }
    #expect(hasher.count == 3)
  }

  /// A file where a folder belongs stops even the superuser, whom permissions do not.
  @Test func aCacheThatCannotBeWrittenIsNoError() throws {
    let path = file + "/cache/digests.jsonl"
    for _ in 0..<2 { #expect(try cache(path).digest(ofFile: file) == Self.abc) }
    #expect(hasher.count == 2)
  }

  @Test func manyAtOnceLeaveAWholeFile() async throws {
    let path = folder.path + "/digests.jsonl"
    for number in 0..<20 { try folder.write("\(number)", to: "\(number).gguf") }
    let (folder, cache) = (folder.path, cache(path))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<20 {
        group.addTask { _ = try cache.digest(ofFile: "\(folder)/\(number).gguf") }
      }
      try await group.waitForAll()
    }
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 20)
    for line in lines { _ = try JSONValue(parsing: Data(line.utf8), place: path) }
    #expect(hasher.count == 20)
  }

  @Test func aMissingFileIsTold() {
    #expect {
      try cache().digest(ofFile: folder.path + "/none")
    } throws: { "\($0)".contains("/none: cannot be read: No such file") }
  }
}
