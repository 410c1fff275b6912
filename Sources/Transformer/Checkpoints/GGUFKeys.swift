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
  func bool(_ key: String) throws -> Bool? { try has(key) ? file.requiredBool(full(key)) : nil }
  func text(_ key: String) throws -> String? {
    try has(key) ? file.requiredString(full(key)) : nil
  }
  func number(_ key: String) throws -> Double? {
    try has(key) ? file.requiredNumber(full(key)) : nil
  }

  /// A number; 0 counts as missing, as in llama.cpp.
  func factor(_ key: String) throws -> Double? {
    try number(key).flatMap { $0 == 0 ? nil : $0 }
  }

  func requiredNumber(_ key: String) throws -> Double { try file.requiredNumber(full(key)) }

  /// A whole number; 0 counts as missing.
  func size(_ key: String) throws -> Int? {
    guard has(key), try file.requiredInteger(full(key)) != 0 else { return nil }
    return try requiredSize(key)
  }

  /// A positive whole number.
  func requiredSize(_ key: String, limit: Int = Architecture.largestSize) throws -> Int {
    let value = try file.requiredInteger(full(key))
    guard value > 0, value < limit else {
      throw UserError(
        "\(full(key)) is \(value)", at: file.path,
        remedy: "get the file again; a positive size belongs here")
    }
    return value
  }

  private func full(_ key: String) -> String { "\(architecture).\(key)" }
}
