import Foundation
import TensorCore
import Testing

@Suite struct LineFileTests {
  private func lines(after start: String) throws -> String {
    var text = ""
    try withTemporaryFile(start.utf8) { path in
      try LineFile.append(["a": 1], to: path)
      try LineFile.append(["a": 2], to: path)
      text = String(decoding: try Files.read(path), as: UTF8.self)
    }
    return text
  }

  @Test func halfALineGoes() throws {
    let two = "{\"a\": 1}\n{\"a\": 2}\n".replacing(" ", with: "")
    func same(_ start: String, _ kept: String) throws {
      #expect(try lines(after: start).replacing(" ", with: "") == kept + two)
    }
    try same("", "")
    try same("{\"b\":1}\n", "{\"b\":1}\n")
    try same("{\"b\":1}\n{\"b", "{\"b\":1}\n")
    try same("{\"b", "")
    // A whole line whose end only is missing stays.
    try same("{\"b\":1}\n{\"b\":2}", "{\"b\":1}\n{\"b\":2}\n")
  }

  @Test func placesThatCannotBeWritten() throws {
    try withTemporaryFile { path in
      try LineFile.requireAppendable(path)
      try LineFile.requireAppendable(path + ".new")
      #expect(!FileManager.default.fileExists(atPath: path + ".new"))
      let folder = Files.folder(of: path)
      for wrong in [path + "/x", folder] {
        #expect(throws: UserError.self) { try LineFile.requireAppendable(wrong) }
        #expect(throws: UserError.self) { try LineFile.append(1, to: wrong) }
      }
    }
  }
}
