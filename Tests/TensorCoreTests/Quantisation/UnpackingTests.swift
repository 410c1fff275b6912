import Foundation
import Testing

@testable import TensorCore

/// Bit equality with gguf-py and ggml on normal, heavy-tailed, real and random blocks.
struct UnpackingTests {
  static func resource(_ name: String) -> String {
    Bundle.module.bundleURL.appendingPathComponent("Resources/quant/\(name)").path
  }

  /// The golden matrix `[4, 512]` of `type` and its f32 numbers.
  static func golden(_ type: StoredType) throws -> (StoredMatrix, [Float]) {
    let file = try SafetensorsFile(resource("blocks.safetensors"))
    let bytes = try file.bytes("\(type.name).bytes")
    let buffer = AlignedBuffer(byteCount: bytes.count + 1)
    // An odd address: nothing in a file is aligned.
    let base = buffer.start + 1
    UnsafeMutableRawBufferPointer(start: base, count: bytes.count).copyBytes(from: bytes)
    let matrix = try StoredMatrix(
      rows: 4, columns: 512, type: type,
      bytes: UnsafeRawBufferPointer(start: base, count: bytes.count), owner: buffer)
    return (matrix, try file.floats("\(type.name).f32"))
  }

  @Test(arguments: StoredType.allCases.filter { $0 != .f32 })
  func agreesBitForBit(type: StoredType) throws {
    let (matrix, expected) = try Self.golden(type)
    #expect(matrix.floats().map(\.bitPattern) == expected.map(\.bitPattern))
  }

  @Test(arguments: StoredType.allCases.filter { $0 != .f32 })
  func unpacksSomeRowsAndNothingBeside(type: StoredType) throws {
    let (matrix, expected) = try Self.golden(type)
    let guardValue: Float = 12345
    var out = [Float](repeating: guardValue, count: 1024 + 64)
    out.withUnsafeMutableBufferPointer { matrix.unpackRows(1..<3, into: $0.baseAddress! + 32) }
    #expect(Array(out[32..<1056]).map(\.bitPattern) == expected[512..<1536].map(\.bitPattern))
    #expect(out[..<32].allSatisfy { $0 == guardValue })
    #expect(out[1056...].allSatisfy { $0 == guardValue })
  }

  @Test func agreesWithTheListOfTypes() throws {
    let list = try JSONReader(contentsOf: Self.resource("blocks.json"))
    let types = Dictionary(uniqueKeysWithValues: try list.entries())["types"]
    for (name, entry) in try #require(types).entries() {
      let fields = Dictionary(uniqueKeysWithValues: try entry.entries())
      let type = try #require(StoredType.allCases.first { $0.name == name })
      #expect(try fields["ggml_type_id"]?.integer() == Int(type.rawValue))
      #expect(try fields["block_values"]?.integer() == type.blockSize)
      #expect(try fields["block_bytes"]?.integer() == type.blockBytes)
      #expect(try fields["bytes_per_row"]?.integer() == type.bytesPerRow(columns: 512))
    }
  }

  @Test func halvesAreExact() {
    for bits in UInt16.min...UInt16.max {
      let exponent = Int(bits >> 10 & 31)
      let mantissa = Double(bits & 1023)
      guard exponent < 31 else { continue }
      let magnitude =
        exponent == 0 ? mantissa * 0x1p-24 : (1024 + mantissa) * pow(2, Double(exponent - 25))
      let expected = Float(bits >> 15 == 1 ? -magnitude : magnitude)
      let found = withUnsafeBytes(of: bits) { Unpacking.half($0.baseAddress!) }
      #expect(found.bitPattern == expected.bitPattern)
    }
  }

  @Test func ownsItsNumbers() {
    let matrix = StoredMatrix(f32: [1, 2, 3, 4, 5, 6], rows: 2, columns: 3)
    #expect(matrix.floats() == [1, 2, 3, 4, 5, 6])
    #expect(Int(bitPattern: matrix.base).isMultiple(of: 64))
    #expect(StoredMatrix(f32: [], rows: 0, columns: 3).floats().isEmpty)
  }

  @Test func refusesShapesThatDoNotFit() throws {
    let buffer = AlignedBuffer(byteCount: 40)
    let bytes = UnsafeRawBufferPointer(buffer.bytes)
    for (rows, columns) in [(1, 32), (2, 48), (-1, 32), (2, -32), (Int.max, Int.max & ~31)] {
      #expect(throws: UserError.self) {
        try StoredMatrix(rows: rows, columns: columns, type: .q4_1, bytes: bytes, owner: buffer)
      }
    }
    _ = try StoredMatrix(rows: 2, columns: 32, type: .q4_1, bytes: bytes, owner: buffer)
  }
}
