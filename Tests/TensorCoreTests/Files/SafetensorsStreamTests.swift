import Foundation
import TensorCore
import Testing

@Suite struct SafetensorsStreamTests {
  private static func path() -> String {
    FileManager.default.temporaryDirectory.path + "/icl-probe-test-\(UUID().uuidString)"
  }

  /// The file is taken apart by hand, as the format's description says.
  @Test func partsComeTogetherInTheFormat() throws {
    let path = Self.path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let stream = try SafetensorsStream(
      [("b", [3, 2]), ("a", [2, 1, 2])], metadata: ["model": "x"], to: path)
    try stream.write([5, 6], of: "b", at: 2)
    try stream.write([7, 8, 9, 10], of: "a", at: 0)
    #expect(!FileManager.default.fileExists(atPath: path))
    try stream.write([1, 2, 3, 4], of: "b", at: 0)
    try stream.finish()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let size = Int(
      bytes.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * $1.offset) })
    #expect(size % 8 == 0)
    let header = try #require(
      try JSONSerialization.jsonObject(with: bytes[8..<8 + size]) as? [String: Any])
    #expect((header["__metadata__"] as? [String: String]) == ["model": "x"])
    func numbers(_ name: String) throws -> ([Int], [Float]) {
      let entry = try #require(header[name] as? [String: Any])
      #expect(entry["dtype"] as? String == "F32")
      let offsets = try #require(entry["data_offsets"] as? [Int])
      let part = bytes[(8 + size + offsets[0])..<(8 + size + offsets[1])]
      let values = stride(from: part.startIndex, to: part.endIndex, by: 4).map { start in
        Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(part[start + $1]) << (8 * $1) })
      }
      return (try #require(entry["shape"] as? [Int]), values)
    }
    #expect(try numbers("b") == ([3, 2], [1, 2, 3, 4, 5, 6]))
    #expect(try numbers("a") == ([2, 1, 2], [7, 8, 9, 10]))
    #expect(bytes.count == 8 + size + 40)
  }

  @Test func anUnfinishedFileLeavesNothing() throws {
    let path = Self.path()
    do {
      let stream = try SafetensorsStream([("a", [2])], to: path)
      try stream.write([1], of: "a", at: 0)
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    let name = URL(fileURLWithPath: path).lastPathComponent
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!left.contains { $0.hasPrefix(name) })
    #expect(throws: UserError.self) { try SafetensorsStream([("a", [2])], to: "/nowhere/a") }
  }
}
