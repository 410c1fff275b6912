import TensorCore

/// Metadata of a GGUF file by key and Swift type: nil where the key is missing. All throw `UserError`
/// with the key, what it holds and what was wanted where it holds another kind; see `GGUFMetadata`.
extension GGUFFile {
  public func string(_ key: String) throws -> String? { try values.string(key) }

  /// A whole number that fits `Int`.
  public func integer(_ key: String) throws -> Int? { try values.integer(key) }

  /// A finite number, whole or not.
  public func number(_ key: String) throws -> Double? { try values.number(key) }

  public func bool(_ key: String) throws -> Bool? { try values.bool(key) }

  /// A list of texts, all of which must be UTF-8.
  public func strings(_ key: String) throws -> [String]? { try values.strings(key) }

  /// A list of numbers, whole or not, as f32.
  public func numbers(_ key: String) throws -> [Float]? { try values.numbers(key) }

  /// A list of whole numbers that fit `Int`.
  public func integers(_ key: String) throws -> [Int]? { try values.integers(key) }

  /// A list of truth values.
  public func bools(_ key: String) throws -> [Bool]? { try values.bools(key) }

  /// A whole number for each of `count` blocks: one that holds for all, or a list of as many.
  public func integerOrIntegers(_ key: String, count: Int) throws -> [Int]? {
    try values.integerOrIntegers(key, count: count)
  }

  /// True or false for each of `count` blocks: one that holds for all, or a list of as many.
  public func boolOrBools(_ key: String, count: Int) throws -> [Bool]? {
    try values.boolOrBools(key, count: count)
  }

  /// Whether the key is there and holds a list, of whatever kind.
  public func isList(_ key: String) -> Bool { values.isList(key) }

  public func requiredString(_ key: String) throws -> String {
    try required(key, string)
  }

  public func requiredInteger(_ key: String) throws -> Int {
    try required(key, integer)
  }

  public func requiredNumber(_ key: String) throws -> Double {
    try required(key, number)
  }

  public func requiredStrings(_ key: String) throws -> [String] {
    try required(key, strings)
  }

  public func requiredNumbers(_ key: String) throws -> [Float] {
    try required(key, numbers)
  }

  public func requiredIntegers(_ key: String) throws -> [Int] {
    try required(key, integers)
  }

  private func required<Value>(_ key: String, _ read: (String) throws -> Value?) throws -> Value {
    guard let value = try read(key) else { throw values.missing(key) }
    return value
  }
}
