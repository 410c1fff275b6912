import TensorCore

/// Metadata of a GGUF file by key. A key that is missing is nil; one that holds another kind than the
/// reader wants is an error, never a default.
///
/// Whole numbers of all widths, signed or not, count as one kind, and they are numbers, too. Nothing
/// else is converted: a number in quotes is a text.
struct GGUFMetadata: Sendable {
  let values: [String: GGUFValue]
  /// Where arrays lie.
  let file: MappedFile

  func string(_ key: String) throws -> String? {
    try scalar(key, "a text") { if case .string(let text) = $0 { text } else { nil } }
  }

  func integer(_ key: String) throws -> Int? {
    try scalar(key, "a whole number up to \(Int.max)") { $0.integer }
  }

  func number(_ key: String) throws -> Double? {
    try scalar(key, "a finite number") {
      switch $0 {
      case .unsigned(let value): Double(value)
      case .signed(let value): Double(value)
      case .float(let value): value.isFinite ? value : nil
      default: nil
      }
    }
  }

  func bool(_ key: String) throws -> Bool? {
    try scalar(key, "true or false") { if case .bool(let flag) = $0 { flag } else { nil } }
  }

  func strings(_ key: String) throws -> [String]? {
    guard let array = try array(key, "a list of texts", of: [.string]) else { return nil }
    var cursor = GGUFCursor(file, offset: array.offset)
    var texts: [String] = []
    texts.reserveCapacity(array.count)
    for index in 0..<array.count { texts.append(try cursor.string("\(key)[\(index)]")) }
    return texts
  }

  func numbers(_ key: String) throws -> [Float]? {
    let kinds = GGUFKind.integers.union([.float32, .float64])
    guard let array = try array(key, "a list of numbers", of: kinds) else { return nil }
    return switch array.elementKind {
    case .float32: elements(array, UInt32.self).map { Float(bitPattern: $0) }
    case .float64: elements(array, UInt64.self).map { Float(Double(bitPattern: $0)) }
    default: try integers(key)?.map { Float($0) }
    }
  }

  func integers(_ key: String) throws -> [Int]? {
    let wanted = "a list of whole numbers"
    guard let array = try array(key, wanted, of: GGUFKind.integers) else { return nil }
    switch array.elementKind {
    case .uint8: return elements(array, UInt8.self).map { Int($0) }
    case .int8: return elements(array, Int8.self).map { Int($0) }
    case .uint16: return elements(array, UInt16.self).map { Int($0) }
    case .int16: return elements(array, Int16.self).map { Int($0) }
    case .uint32: return elements(array, UInt32.self).map { Int($0) }
    case .int32: return elements(array, Int32.self).map { Int($0) }
    case .int64: return elements(array, Int64.self).map { Int($0) }
    default:
      return try elements(array, UInt64.self).map {
        guard let value = Int(exactly: $0) else {
          throw wrong(key, "a list with the number \($0)", "\(wanted) up to \(Int.max)")
        }
        return value
      }
    }
  }

  func bools(_ key: String) throws -> [Bool]? {
    guard let array = try array(key, "a list of true and false", of: [.bool]) else { return nil }
    return elements(array, UInt8.self).map { $0 != 0 }
  }

  /// A whole number for each of `count` things: one that holds for all, or a list of as many.
  func integerOrIntegers(_ key: String, count: Int) throws -> [Int]? {
    guard isList(key) else {
      return try integer(key).map { Array(repeating: $0, count: count) }
    }
    return try integers(key).map { try counted($0, key, count) }
  }

  /// True or false for each of `count` things: one that holds for all, or a list of as many.
  func boolOrBools(_ key: String, count: Int) throws -> [Bool]? {
    guard isList(key) else { return try bool(key).map { Array(repeating: $0, count: count) } }
    return try bools(key).map { try counted($0, key, count) }
  }

  /// Whether the key is there and holds a list.
  func isList(_ key: String) -> Bool {
    if case .array? = values[key] { true } else { false }
  }

  /// The error of a key that must be there.
  func missing(_ key: String) -> UserError {
    UserError(
      "the metadata key \"\(key)\" is missing", at: file.path,
      remedy: "use a file made by llama.cpp's converter")
  }

  private func scalar<Value>(
    _ key: String, _ wanted: String, _ read: (GGUFValue) -> Value?
  ) throws -> Value? {
    guard let value = values[key] else { return nil }
    guard let result = read(value) else { throw wrong(key, value.description, wanted) }
    return result
  }

  private func array(_ key: String, _ wanted: String, of kinds: Set<GGUFKind>) throws -> GGUFArray?
  {
    guard let value = values[key] else { return nil }
    guard case .array(let array) = value, kinds.contains(array.elementKind) || array.count == 0
    else { throw wrong(key, value.description, wanted) }
    return array
  }

  private func counted<Value>(_ list: [Value], _ key: String, _ count: Int) throws -> [Value] {
    guard list.count == count else {
      throw wrong(key, "a list of \(list.count)", "one value or a list of \(count)")
    }
    return list
  }

  private func wrong(_ key: String, _ found: String, _ wanted: String) -> UserError {
    UserError(
      "the metadata key \"\(key)\" holds \(found) where \(wanted) belongs", at: file.path,
      remedy: "use a file made by llama.cpp's converter")
  }

  private func elements<Number: FixedWidthInteger & BitwiseCopyable>(
    _ array: GGUFArray, _ type: Number.Type
  ) -> [Number] {
    let size = MemoryLayout<Number>.size
    // An empty list may be of any kind, and lie at the very end.
    return (0..<array.count).map {
      Number(
        littleEndian: file.bytes.loadUnaligned(
          fromByteOffset: array.offset + $0 * size, as: Number.self))
    }
  }
}
