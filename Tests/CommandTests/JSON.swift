import Foundation
import TensorCore

/// A program's JSON, for looking around in.
struct JSON {
  let value: JSONValue

  init(_ text: String) throws {
    value = try JSONValue(parsing: Data(text.utf8), place: "output")
  }

  private init(_ value: JSONValue) { self.value = value }

  subscript(key: String) -> JSON? {
    guard case .object(let pairs) = value else { return nil }
    return pairs.first { $0.key == key }.map { JSON($0.value) }
  }

  subscript(index: Int) -> JSON? {
    guard case .array(let items) = value, items.indices.contains(index) else { return nil }
    return JSON(items[index])
  }

  var keys: [String] { if case .object(let pairs) = value { pairs.map(\.key) } else { [] } }
  var count: Int { if case .array(let items) = value { items.count } else { 0 } }
  var items: [JSON] { if case .array(let items) = value { items.map { JSON($0) } } else { [] } }
  var text: String? { if case .string(let text) = value { text } else { nil } }
  var whole: Int? { if case .integer(let whole) = value { whole } else { nil } }

  var number: Double? {
    switch value {
    case .integer(let whole): Double(whole)
    case .number(let number): number
    default: nil
    }
  }
}
