import TensorCore

/// A cell's further settings as words of a command line: studies train by the commands that a user would give.
extension StudyCell {
  /// All of them, for the command of the cell's method.
  ///
  /// - Throws: `UserError` for what is no number, text, `true` or list of these.
  public func optionWords() throws -> [String] {
    try options.pairs.flatMap { key, value -> [String] in
      if value == .bool(true) { return ["--\(key)"] }
      guard let words = Self.words(value) else {
        throw UserError(
          "the option \"\(key)\" is no number or text", at: name,
          remedy: "write it as on the command line, without dashes")
      }
      return words.flatMap { ["--\(key)", $0] }
    }
  }

  /// What one option is given, once or again and again; nothing where it is not there.
  public func values(of option: String) -> [String] { Self.words(options[option]) ?? [] }

  /// Nil for what is no number or text.
  private static func words(_ value: JSONValue) -> [String]? {
    switch value {
    case .string(let text): [text]
    case .integer(let number): ["\(number)"]
    case .number(let number): ["\(number)"]
    case .array(let values) where !values.isEmpty:
      values.reduce([]) { found, value in
        guard case .some(let words) = words(value) else { return nil }
        return found.map { $0 + words }
      }
    default: nil
    }
  }
}
