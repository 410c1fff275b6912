import Foundation

extension JSONValue {
  /// Reads JSON text; keys of an object keep their order, a repeated key is refused.
  ///
  /// - Throws: `UserError` with `place` and the line and column at fault.
  public init(parsing data: Data, place: String) throws {
    var parser = JSONParser(Array(data))
    do {
      self = try parser.document()
    } catch {
      let (line, column) = parser.position(of: error.offset)
      throw UserError(
        "not valid JSON: \(error.problem) (line \(line), column \(column))", at: place,
        remedy: "mend the file")
    }
  }

  /// Reads the JSON file at `path`.
  public init(contentsOf path: String) throws {
    let data = try Files.read(path)
    guard !data.isEmpty else {
      throw UserError("is empty", at: path, remedy: "download or copy the file again")
    }
    if let error = MisplacedFile.error(data, at: path) { throw error }
    try self.init(parsing: data, place: path)
  }

  /// JSON text on one line; numbers are the shortest text that reads back to the same value, to the same f32 where
  /// they are one, and non-finite numbers, which JSON cannot hold, become null.
  public var text: String { serialised(indent: nil, level: 0) }

  /// JSON text with two-space indents and a final newline.
  public var prettyText: String { serialised(indent: 2, level: 0) + "\n" }

  private func serialised(indent: Int?, level: Int) -> String {
    func list(_ open: String, _ items: [String], _ close: String) -> String {
      guard let indent, !items.isEmpty else {
        return open + items.joined(separator: ", ") + close
      }
      let inner = String(repeating: " ", count: indent * (level + 1))
      let outer = String(repeating: " ", count: indent * level)
      return open + "\n" + items.map { inner + $0 }.joined(separator: ",\n") + "\n" + outer + close
    }
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .integer(let value): return String(value)
    case .number(let value):
      guard value.isFinite else { return "null" }
      // A value that came from f32 is written as f32, so that 0.1 does not grow digits.
      let narrow = Float(value)
      return Double(narrow) == value ? "\(narrow)" : "\(value)"
    case .string(let value): return Self.quoted(value)
    case .array(let values):
      let scalars = values.allSatisfy { if case .object = $0 { false } else { true } }
      return scalars
        ? "[" + values.map { $0.serialised(indent: nil, level: 0) }.joined(separator: ", ") + "]"
        : list("[", values.map { $0.serialised(indent: indent, level: level + 1) }, "]")
    case .object(let pairs):
      return list(
        "{",
        pairs.map {
          Self.quoted($0.key) + ": " + $0.value.serialised(indent: indent, level: level + 1)
        },
        "}")
    }
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{2028}", "\u{2029}": out += "\\u\(String(scalar.value, radix: 16))"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F {
          let hex = String(scalar.value, radix: 16)
          out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    return out + "\""
  }
}
