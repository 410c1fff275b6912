import Foundation
import Testing

@testable import TensorCore

struct SafetensorsTests {
  /// A file of this header text and so many zero bytes.
  static func file(_ header: String, _ dataSize: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
      + Array(header.utf8) + [UInt8](repeating: 0, count: dataSize)
  }

  static func array(_ type: String, _ shape: String, _ start: Int, _ end: Int) -> String {
    #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[\#(start),\#(end)]}"#
  }

  @Test func readsWhatItWrote() throws {
    let values: [Float] = [1, -0.0, .leastNonzeroMagnitude, .infinity, 3.25, -7]
    try withTemporaryFile { path in
      try Safetensors.write(
        [("b", [2, 3], values), ("a", [], [5]), ("empty", [0, 4], []), ("\"quoted\n", [1], [2])],
        metadata: ["model": "x\u{1}y"], to: path)
      let file = try SafetensorsFile(path)
      #expect(file.names == ["\"quoted\n", "a", "b", "empty"])
      #expect(file.metadata == ["model": "x\u{1}y"])
      #expect(try file.floats("b").map(\.bitPattern) == values.map(\.bitPattern))
      #expect(try file.floats("a") == [5])
      #expect(try file.floats("empty").isEmpty)
      #expect(try file.floats("\"quoted\n") == [2])
      #expect(try file.shape(of: "b") == [2, 3])
      #expect(try file.shape(of: "a") == [])
      #expect(try file.type(of: "b") == .float32)
      let matrix = try file.matrix("b")
      #expect((matrix.rows, matrix.columns) == (2, 3))
      #expect(matrix.floats().map(\.bitPattern) == values.map(\.bitPattern))
      #expect(throws: UserError.self) { try file.matrix("a") }
      #expect(throws: UserError.self) { try file.floats("missing") }
      #expect(throws: UserError.self) { try file.integers("b") }
    }
  }

  /// Rounded to 8 significant bits, ties to even; what has 8 stays.
  @Test func storesBFloat16() throws {
    let values: [Float] = [
      1, -255, 257, 259, -257, 0x1p-126, .infinity, -0.0, 4096.5, 1 + 0x1p-8, 1 + 0x1p-8 + 0x1p-20,
      1 + 0x1.8p-7,
    ]
    let rounded: [Float] = [
      1, -255, 256, 260, -256, 0x1p-126, .infinity, -0.0, 4096, 1, 1 + 0x1p-7, 1 + 0x1p-6,
    ]
    try withTemporaryFile { path in
      try Safetensors.write(
        [("a", [3, 4], values), ("b", [12], values), ("c", [1], [.nan])], bfloat16: ["a", "c"],
        to: path)
      let file = try SafetensorsFile(path)
      #expect(try file.type(of: "a") == .bfloat16 && file.byteCount(of: "a") == 24)
      #expect(try file.floats("a").map(\.bitPattern) == rounded.map(\.bitPattern))
      #expect(try file.floats("b").map(\.bitPattern) == values.map(\.bitPattern))
      #expect(try file.floats("c")[0].isNaN)
    }
  }

  @Test func convertsNumberTypes() throws {
    let header =
      "{"
      + [
        "\"i64\":" + Self.array("I64", "[1]", 0, 8), "\"i32\":" + Self.array("I32", "[1]", 8, 12),
        "\"f16\":" + Self.array("F16", "[1]", 12, 14),
        "\"bf16\":" + Self.array("BF16", "[1,1]", 14, 16),
        "\"u8\":" + Self.array("U8", "[2]", 16, 18), "\"f64\":" + Self.array("F64", "[0]", 18, 18),
      ].joined(separator: ",") + "}"
    let data: [UInt8] = [
      0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFD, 0xFF, 0xFF, 0xFF, 0, 0x3E, 0x40, 0xC0,
      7, 255,
    ]
    try withTemporaryFile(Self.file(header, 0) + data) { path in
      let file = try SafetensorsFile(path)
      #expect(try file.integers("i64") == [-2])
      #expect(try file.integers("i32") == [-3])
      #expect(try file.floats("f16") == [1.5])
      #expect(try file.matrix("bf16").floats() == [-3])
      #expect(try file.integers("u8") == [7, 255])
      #expect(try file.bytes("u8") == [7, 255])
      #expect(throws: UserError.self) { try file.floats("i32") }
      #expect(throws: UserError.self) { try file.floats("f64") }
    }
  }

  @Test(arguments: [
    [], [1, 2, 3], [UInt8](repeating: 0xFF, count: 8), [UInt8](repeating: 0, count: 8),
    file("{", 0), file("[]", 0), file("{} x", 0), file("{}", 1), file("{\"a\":3}", 0),
    file("{\"a\":" + array("F32", "[1]", 0, 8) + "}", 8),
    file("{\"a\":" + array("F32", "[2]", 0, 8) + "}", 4),
    file("{\"a\":" + array("F32", "[2]", 0, 8) + "}", 12),
    file("{\"a\":" + array("F32", "[-2]", 0, 8) + "}", 8),
    file("{\"a\":" + array("F32", "[2.5]", 0, 8) + "}", 8),
    file("{\"a\":" + array("F32", "2", 0, 8) + "}", 8),
    file("{\"a\":" + array("F4", "[2]", 0, 8) + "}", 12),
    file("{\"a\":" + array("F4", "[2]", 0, 16) + "}", 8),
    file(#"{"a":{"dtype":4,"shape":[2],"data_offsets":[0,8]}}"#, 8),
    file("{\"a\":" + array("F32", "[2]", 8, 0) + "}", 8),
    file("{\"a\":" + array("F32", "[2]", 4, 12) + "}", 12),
    file("{\"a\":" + array("F32", "[9223372036854775807,4]", 0, 8) + "}", 8),
    file("{\"a\":" + array("F32", "[2]", 0, 9_223_372_036_854_775_807) + "}", 8),
    file(
      "{\"a\":" + array("F32", "[2]", 0, 8) + ",\"b\":" + array("F32", "[2]", 4, 12) + "}", 12),
    file(
      "{\"a\":" + array("F32", "[1]", 0, 4) + ",\"b\":" + array("F32", "[1]", 8, 12) + "}", 12),
    file("{\"__metadata__\":{\"a\":1}}", 0),
    file("{\"a\":" + String(repeating: "[", count: 5000) + "}", 0),
    file(
      "{\"a\":" + String(repeating: "[", count: 400) + String(repeating: "]", count: 400) + "}", 0),
  ])
  func refusesDamagedFiles(bytes: [UInt8]) throws {
    try withTemporaryFile(bytes) { path in
      #expect(throws: UserError.self) { try SafetensorsFile(path) }
    }
  }

  /// What nobody needs may be of any type; what is needed is named.
  @Test(arguments: [
    ("F8_E4M3", "is stored as F8_E4M3, a quantised type; readable are F32, F16 and BF16"),
    ("F4", "is stored as F4, a quantised type; readable"),
    ("C64", "is stored as C64; readable"),
    ("F64", "is stored as F64; readable"),
    ("I32", "is stored as I32, whole numbers as quantised weights have them; readable"),
  ])
  func typesCountWhereTheyAreNeeded(type: String, message: String) throws {
    let size = ["F64": 16, "I32": 8][type] ?? 2
    let header =
      #"{"scale":"# + Self.array(type, "[2,1]", 0, size) + #","w":"#
      + Self.array("F32", "[1]", size, size + 4) + "}"
    try withTemporaryFile(Self.file(header, size) + [0, 0, 0x80, 0x3F]) { path in
      let file = try SafetensorsFile(path)
      #expect(file.names == ["scale", "w"])
      #expect(try file.floats("w") == [1])
      #expect(try file.shape(of: "scale") == [2, 1])
      #expect(try file.typeName(of: "scale") == type)
      let reads: [(String) throws -> Any] = [{ try file.floats($0) }, { try file.matrix($0) }]
      for read in reads {
        let error = #expect(throws: UserError.self) { try read("scale") }
        #expect(
          error?.description.contains("\"scale\" \(message)") == true,
          "\(String(describing: error))")
      }
    }
  }

  @Test func metadataMayBeNull() throws {
    try withTemporaryFile(Self.file(#"{"__metadata__":null}"#, 0)) { path throws in
      #expect(try SafetensorsFile(path).metadata.isEmpty)
    }
  }

  @Test func survivesEveryTruncation() throws {
    try withTemporaryFile { path in
      try Safetensors.write([("a", [2], [1, 2]), ("b", [1], [3])], to: path)
      let whole = try Array(Files.read(path))
      for length in 0..<whole.count {
        try Data(whole[..<length]).write(to: URL(fileURLWithPath: path))
        #expect(throws: UserError.self) { try SafetensorsFile(path) }
      }
      // The usual half of a download.
      try Data(whole.dropLast(4)).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: UserError.self) { try SafetensorsFile(path) }
      #expect(
        error?.description.contains(
          "is cut short: \(whole.count - 4) bytes are there of \(whole.count)") == true,
        "\(String(describing: error))")
    }
  }
}
