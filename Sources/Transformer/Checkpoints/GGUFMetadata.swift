import TensorCore

/// Metadata of a GGUF file by key and Swift type: nil where the key is missing or holds another
/// kind.
extension GGUFFile {
  public func string(_ key: String) -> String? {
    if case .string(let text)? = metadata[key] { text } else { nil }
  }

  /// A whole number that fits `Int`.
  public func integer(_ key: String) -> Int? {
    switch metadata[key] {
    case .unsigned(let value)?: Int(exactly: value)
    case .signed(let value)?: Int(value)
    default: nil
    }
  }

  /// A number, whole or not.
  public func number(_ key: String) -> Double? {
    switch metadata[key] {
    case .unsigned(let value)?: Double(value)
    case .signed(let value)?: Double(value)
    case .float(let value)?: value
    default: nil
    }
  }

  public func bool(_ key: String) -> Bool? {
    if case .bool(let flag)? = metadata[key] { flag } else { nil }
  }

  /// A list of texts.
  ///
  /// - Throws: `UserError` if one of them is not valid UTF-8.
  public func strings(_ key: String) throws -> [String]? {
    guard case .array(let array)? = metadata[key], array.elementKind == .string else { return nil }
    var cursor = GGUFCursor(file, offset: array.offset)
    var texts: [String] = []
    texts.reserveCapacity(array.count)
    for index in 0..<array.count { texts.append(try cursor.string("\(key)[\(index)]")) }
    return texts
  }

  /// A list of numbers, whole or not, as f32.
  public func numbers(_ key: String) -> [Float]? {
    guard case .array(let array)? = metadata[key] else { return nil }
    switch array.elementKind {
    case .float32:
      return elements(array, UInt32.self).map { Float(bitPattern: $0) }
    case .float64:
      return elements(array, UInt64.self).map { Float(Double(bitPattern: $0)) }
    default:
      return integers(key)?.map { Float($0) }
    }
  }

  /// A list of whole numbers that fit `Int`.
  public func integers(_ key: String) -> [Int]? {
    guard case .array(let array)? = metadata[key] else { return nil }
    switch array.elementKind {
    case .uint8: return elements(array, UInt8.self).map { Int($0) }
    case .int8: return elements(array, Int8.self).map { Int($0) }
    case .uint16: return elements(array, UInt16.self).map { Int($0) }
    case .int16: return elements(array, Int16.self).map { Int($0) }
    case .uint32: return elements(array, UInt32.self).map { Int($0) }
    case .int32: return elements(array, Int32.self).map { Int($0) }
    case .int64: return elements(array, Int64.self).map { Int($0) }
    case .uint64:
      let values = elements(array, UInt64.self)
      return values.allSatisfy { $0 <= UInt64(Int.max) } ? values.map { Int($0) } : nil
    case .bool, .float32, .float64, .string, .array: return nil
    }
  }

  /// A list of truth values.
  public func bools(_ key: String) -> [Bool]? {
    guard case .array(let array)? = metadata[key], array.elementKind == .bool else { return nil }
    return elements(array, UInt8.self).map { $0 != 0 }
  }

  public func requiredString(_ key: String) throws -> String {
    try required(key, string(key), "a text")
  }

  public func requiredInteger(_ key: String) throws -> Int {
    try required(key, integer(key), "a whole number")
  }

  public func requiredNumber(_ key: String) throws -> Double {
    try required(key, number(key), "a number")
  }

  public func requiredBool(_ key: String) throws -> Bool {
    try required(key, bool(key), "true or false")
  }

  public func requiredStrings(_ key: String) throws -> [String] {
    try required(key, strings(key), "a list of texts")
  }

  public func requiredNumbers(_ key: String) throws -> [Float] {
    try required(key, numbers(key), "a list of numbers")
  }

  public func requiredIntegers(_ key: String) throws -> [Int] {
    try required(key, integers(key), "a list of whole numbers")
  }

  private func required<Value>(_ key: String, _ value: Value?, _ wanted: String) throws -> Value {
    if let value { return value }
    throw UserError(
      metadata[key] == nil
        ? "the metadata key \"\(key)\" is missing"
        : "the metadata key \"\(key)\" does not hold \(wanted)",
      at: path, remedy: "use a file made by llama.cpp's converter")
  }

  private func elements<Number: FixedWidthInteger & BitwiseCopyable>(
    _ array: GGUFArray, _ type: Number.Type
  ) -> [Number] {
    let size = MemoryLayout<Number>.size
    return (0..<array.count).map {
      Number(
        littleEndian: file.bytes.loadUnaligned(
          fromByteOffset: array.offset + $0 * size, as: Number.self))
    }
  }
}
