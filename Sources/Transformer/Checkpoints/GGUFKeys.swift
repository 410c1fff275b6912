import TensorCore

/// The metadata of one architecture in a GGUF file: keys without the architecture's name before them.
///
/// nil is a key that is not there; one of another type is an error, never a default.
struct GGUFKeys {
  let file: GGUFFile
  /// `general.architecture`.
  let architecture: String

  func hasTensor(_ name: String) -> Bool { file.hasTensor(name) }
  func has(_ key: String) -> Bool { file.metadata[full(key)] != nil }
  func bool(_ key: String) throws -> Bool? { try file.bool(full(key)) }
  func text(_ key: String) throws -> String? { try file.string(full(key)) }
  func number(_ key: String) throws -> Double? { try file.number(full(key)) }

  /// A number; 0 counts as missing, as in llama.cpp.
  func factor(_ key: String) throws -> Double? {
    try number(key).flatMap { $0 == 0 ? nil : $0 }
  }

  func requiredNumber(_ key: String) throws -> Double { try file.requiredNumber(full(key)) }

  /// A whole number; 0 counts as missing.
  func size(_ key: String) throws -> Int? {
    guard try has(key) && integer(key) != 0 else { return nil }
    return try requiredSize(key)
  }

  /// By layer: whether a block has the window of `attention.sliding_window`, which the pattern says as a
  /// list, or as a number *n* of which the last of each *n* blocks has none.
  func windows(_ layers: Int, window: Int?, patternIfMissing period: Int) throws -> [Int?] {
    let key = "attention.sliding_window_pattern"
    if file.isList(full(key)) {
      return try file.boolOrBools(full(key), count: layers)?.map { $0 ? window : nil } ?? []
    }
    let period = try size(key) ?? (has(key) ? 0 : period)
    return (0..<layers).map { period == 0 || $0 % period < period - 1 ? window : nil }
  }

  /// A positive whole number.
  func requiredSize(_ key: String, limit: Int = Architecture.largestSize) throws -> Int {
    let value = try integer(key)
    guard value > 0, value < limit else {
      throw UserError(
        "\(full(key)) is \(value)", at: file.path,
        remedy: "get the file again; a positive size belongs here")
    }
    return value
  }

  /// A number, which some files repeat for every block.
  private func integer(_ key: String) throws -> Int {
    guard file.isList(full(key)), let values = try file.integers(full(key)) else {
      return try file.requiredInteger(full(key))
    }
    guard let first = values.first, values.allSatisfy({ $0 == first }) else {
      throw UserError(
        "\(full(key)) differs between blocks, which is not supported", at: file.path,
        remedy: "use a model whose blocks are of one size")
    }
    return first
  }

  private func full(_ key: String) -> String { "\(architecture).\(key)" }
}
