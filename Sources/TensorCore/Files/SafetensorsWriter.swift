import Foundation

/// Writing safetensors files.
public enum Safetensors {
  /// Writes arrays in one piece, so that the file is never half-written.
  ///
  /// - Parameters:
  ///   - arrays: name, shape (the last dimension varies fastest) and numbers of each, in the order
  ///     of the file; names must differ and numbers fit their shape.
  ///   - bfloat16: names of those whose numbers are stored as BF16, rounded to the nearest; the
  ///     others are stored as F32.
  ///   - metadata: texts by key for the header's `__metadata__`.
  public static func write(
    _ arrays: [(name: String, shape: [Int], values: [Float])],
    bfloat16: Set<String> = [], metadata: [String: String] = [:], to path: String
  ) throws {
    var header: [(key: String, value: JSONValue)] = []
    if !metadata.isEmpty {
      let pairs = metadata.sorted { $0.key < $1.key }
      header.append(("__metadata__", .object(pairs.map { ($0.key, .string($0.value)) })))
    }
    var numbers = Data()
    var names: Set<String> = ["__metadata__"]
    for (name, shape, values) in arrays {
      precondition(names.insert(name).inserted, "two arrays are called \(name)")
      precondition(values.count == shape.reduce(1, *), "\(name) does not fit \(shape)")
      let start = numbers.count
      let isHalved = bfloat16.contains(name)
      if isHalved {
        values.map(Self.bfloat16).withUnsafeBytes { numbers.append(contentsOf: $0) }
      } else {
        values.withUnsafeBytes { numbers.append(contentsOf: $0) }
      }
      let entry: [(key: String, value: JSONValue)] = [
        ("dtype", isHalved ? "BF16" : "F32"), ("shape", .array(shape.map { .integer($0) })),
        ("data_offsets", [.integer(start), .integer(numbers.count)]),
      ]
      header.append((name, .object(entry)))
    }
    var text = Array(JSONValue.object(header).text.utf8)
    // Readers that map the file expect the numbers at a multiple of 8.
    text += repeatElement(UInt8(ascii: " "), count: -text.count & 7)
    var file = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
    file.append(contentsOf: text)
    file.append(numbers)
    try Files.write(file, to: path)
  }

  /// The upper half of a number's bits, rounded to the nearest, ties to even.
  private static func bfloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    guard value.isFinite else { return UInt16(bits >> 16) | (value.isNaN ? 0x40 : 0) }
    return UInt16((bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
  }
}
