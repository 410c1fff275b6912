import Foundation
import Testing

@testable import TensorCore

struct MappedFileTests {
  @Test func mapsTheWholeFile() throws {
    try withTemporaryFile([1, 2, 3]) { path in
      let file = try MappedFile(path)
      #expect(Array(file.bytes) == [1, 2, 3])
    }
  }

  @Test func saysWhatIsWrong() throws {
    try withTemporaryFile { path in
      #expect(throws: UserError("is empty", at: path, remedy: "download or copy the file again")) {
        try MappedFile(path)
      }
    }
    let folder = FileManager.default.temporaryDirectory.path
    #expect(throws: UserError("is a folder, not a file", at: folder, remedy: "name a file")) {
      try MappedFile(folder)
    }
    #expect(throws: UserError.self) { try MappedFile("/nowhere/at/all") }
    #expect(throws: UserError.self) { try MappedFile("/dev/null") }
  }
}
