import Foundation
import Testing

@testable import TensorCore

@Suite struct FilesTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "files-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test func makesFoldersAndSaysWhyNot() throws {
    try withFolder { folder in
      try Files.makeFolder(folder + "/a/b/")
      try Files.makeFolder(folder + "/a/b")
      try Files.write(Data("x".utf8), to: folder + "/a/b/file")
      #expect(
        throws: UserError(
          "the folder cannot be made: \(folder)/a/b/file is a file",
          at: folder + "/a/b/file/below", remedy: "choose another place with --out")
      ) { try Files.makeFolder(folder + "/a/b/file/below") }
      #expect(
        throws: UserError(
          "the folder cannot be made: File name too long",
          at: folder + "/" + String(repeating: "n", count: 300),
          remedy: "choose another place with --out")
      ) { try Files.makeFolder(folder + "/" + String(repeating: "n", count: 300)) }
    }
  }

  @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 300_000])
  func readsWhatWasWritten(count: Int) throws {
    try withFolder { folder in
      try Files.makeFolder(folder)
      let data = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) })
      try Files.write(data, to: folder + "/x")
      #expect(try Files.read(folder + "/x") == data)
    }
    // Files that say 0 bytes and have more.
    #expect(try !Files.read("/proc/self/status").isEmpty)
  }

  @Test func wordsOfLibrariesDoNotReachTheUser() {
    do {
      _ = try FileManager.default.contentsOfDirectory(atPath: "/nowhere-at-all")
      Issue.record("there is no such folder")
    } catch {
      let words = UserError(any: error).description
      #expect(words == "/nowhere-at-all: No such file or directory")
    }
    #expect(UserError(any: UserError("p", at: "q")) == UserError("p", at: "q"))
    #expect(UserError(any: POSIXError(.EACCES)).problem == "Permission denied")
  }

  @Test(
    arguments: [
      ("a", "a", "", "."), ("a.png", "a.png", "png", "."), ("/x/y.TXT", "y.TXT", "txt", "/x"),
      ("x/.hidden", ".hidden", "", "x"), ("/a.b/c", "c", "", "/a.b"), ("x.", "x.", "", "."),
    ])
  func partsOfPaths(_ path: String, _ name: String, _ ending: String, _ folder: String) {
    #expect(Files.name(of: path) == name)
    #expect(Files.pathExtension(of: path) == ending)
    #expect(Files.folder(of: path) == folder)
  }

  @Test func homeIsATilde() {
    let home = ProcessInfo.processInfo.environment["HOME"] ?? NSHomeDirectory()
    #expect(Files.homeAsTilde(home + "/x/y") == "~/x/y")
    #expect(Files.homeAsTilde(home + "x/y") == home + "x/y")
    #expect(Files.homeAsTilde("/x" + home) == "/x" + home)
  }

  @Test func whatCannotBeWrittenIsSaidBefore() throws {
    #expect(throws: UserError.self) { try Files.requireWritable("/no/such/folder/x") }
    #expect(throws: UserError.self) { try Files.requireWritable(NSTemporaryDirectory()) }
    try Files.requireWritable(NSTemporaryDirectory() + "x-\(UUID().uuidString)")
  }
}
