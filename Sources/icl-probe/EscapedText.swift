import TensorCore

/// Text as it can be typed in a shell, where a line break is hard to write.
enum EscapedText {
  /// `text` with `\n`, `\t` and `\\` as the characters that they stand for.
  ///
  /// - Throws: `UserError` for another character after a backslash.
  static func unescaped(_ text: String, option: String) throws -> String {
    var plain = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\\" else {
        plain.append(scalar)
        continue
      }
      switch rest.popFirst() {
      case "n": plain.append("\n")
      case "t": plain.append("\t")
      case "\\": plain.append("\\")
      case let other:
        throw UserError(
          "unknown escape '\\\(other.map(String.init) ?? "")'", at: "option '--\(option)'",
          remedy: "use \\n, \\t and \\\\, or leave out --escapes", status: .usage)
      }
    }
    return String(plain)
  }
}
