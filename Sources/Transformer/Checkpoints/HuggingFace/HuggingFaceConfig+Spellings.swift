import TensorCore

/// Keys that go by several names: transformers' own and those of a family's first configuration.
extension HuggingFaceConfig {
  /// The one that is there, or nil.
  ///
  /// - Throws: `UserError` where two are there and differ.
  private func reader(of keys: [String]) throws -> JSONReader? {
    let there = keys.compactMap { key in entries[key].map { (key, $0) } }
    guard let first = there.first else { return nil }
    for other in there.dropFirst() where other.1.value != first.1.value {
      throw UserError(
        "\(first.0) and \(other.0) contradict each other", at: place, remedy: "keep one of them")
    }
    return first.1
  }

  /// A positive whole number.
  func size(of keys: [String], limit: Int = Architecture.largestSize) throws -> Int {
    guard let reader = try reader(of: keys) else {
      throw missing(keys[0], or: keys.dropFirst().first)
    }
    return try reader.integer(in: 1...limit)
  }

  func sizeIfThere(of keys: [String]) throws -> Int? {
    try reader(of: keys)?.integer(in: 1...Architecture.largestSize)
  }

  func number(of keys: [String]) throws -> Double? { try reader(of: keys)?.number() }
}
