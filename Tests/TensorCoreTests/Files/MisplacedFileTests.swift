import Foundation
import Testing

@testable import TensorCore

/// Files that are saved under the name of another.
struct MisplacedFileTests {
  static let pointer = """
    version https://git-lfs.github.com/spec/v1
    oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
    size 2471645608

    """

  static let readers: [@Sendable (String) throws -> Any] = [
    { try MappedFile($0) }, { try Files.read($0) }, { try SafetensorsFile($0) },
    { try JSONValue(contentsOf: $0) },
  ]

  static func error(_ bytes: some Sequence<UInt8>, _ read: (String) throws -> Any) throws -> String
  {
    var text = ""
    try withTemporaryFile(bytes) { path in
      let error = #expect(throws: UserError.self) { _ = try read(path) }
      #expect(error?.place == path)
      text = error.map { "\($0.problem); \($0.remedy ?? "")" } ?? ""
    }
    return text
  }

  @Test func everyReaderKnowsGitLFSPointers() throws {
    for read in Self.readers {
      #expect(
        try Self.error(Self.pointer.utf8, read)
          == "is a Git-LFS pointer, not the file itself, which has 2471645608 bytes; run "
          + "'git lfs pull' in its folder, or download the file")
    }
    for cut in [
      "version https://git-lfs.github.com/spec/v1",
      "version https://git-lfs.github.com/spec/v1\r\nsize x",
    ] {
      #expect(
        try Self.error(cut.utf8, Files.read).hasPrefix(
          "is a Git-LFS pointer, not the file itself; run"))
    }
  }

  /// A text that speaks of pointers is none.
  @Test func otherTextsAreNoPointers() throws {
    for text in [" " + Self.pointer, Self.pointer + String(repeating: "x", count: 1024)] {
      try withTemporaryFile(text.utf8) { path throws in
        #expect(try Files.read(path).count == text.utf8.count)
      }
    }
  }

  @Test(
    arguments: [
      (
        Array("<!DOCTYPE html>\n<html lang=\"en\"><head><title>x</title></head></html>".utf8),
        "a web page"
      ),
      (Array("\n  <html><body>Sign in</body></html>".utf8), "a web page"),
      ([0x50, 0x4B, 3, 4] + Array(repeating: 7, count: 60), "a zip archive, which PyTorch's"),
      ([0x80, 2, 0x8A, 10] + Array(repeating: 7, count: 60), "a Python pickle"),
      ([0x80, 4, 0x95, 10] + Array(repeating: 7, count: 60), "a Python pickle"),
      (Array("GGUF".utf8) + [3, 0, 0, 0] + Array(repeating: 7, count: 60), "a GGUF file"),
      ([0x1F, 0x8B, 8, 0] + Array(repeating: 7, count: 60), "compressed with gzip"),
      ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0], "a picture"),
      ([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A, 0], "an HDF5 file"),
    ] as [([UInt8], String)])
  func isNamedForWhatItIs(bytes: [UInt8], name: String) throws {
    #expect(try Self.error(bytes, SafetensorsFile.init).hasPrefix("is \(name)"))
    #expect(try Self.error(bytes, JSONValue.init(contentsOf:)).hasPrefix("is \(name)"))
  }

  @Test func safetensorsAreKnownWhereOthersBelong() throws {
    try withTemporaryFile { path in
      try Safetensors.write([("a", [1], [1])], to: path)
      let bytes = try Files.read(path)
      #expect(MisplacedFile.error(bytes, at: path)?.problem == "is a safetensors file")
      #expect(MisplacedFile.error(Data("{\"a\": 1}".utf8), at: path) == nil)
      #expect(MisplacedFile.error(Data(), at: path) == nil)
    }
  }

  @Test func emptyJSONFilesAreNamed() throws {
    #expect(try Self.error([], JSONValue.init(contentsOf:)).hasPrefix("is empty"))
  }
}
