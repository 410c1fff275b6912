import Foundation
import TensorCore

/// As much of JSON Schema 2020-12 as the tasks' schema uses; a keyword that is not known is a fault of
/// the schema.
struct JSONSchema {
  let root: JSONValue

  init(contentsOf path: String) throws { root = try JSONValue(contentsOf: path) }

  /// What is wrong with a value, each with its place; empty where it is valid.
  func faults(_ value: JSONValue) throws -> [String] { try faults(value, root, "") }

  private func faults(_ value: JSONValue, _ schema: JSONValue, _ place: String) throws -> [String] {
    guard case .object(let keywords) = schema else { throw UserError("no schema", at: place) }
    var faults: [String] = []
    func require(_ holds: Bool, _ keyword: String) {
      if !holds { faults.append("\(place): \(keyword)") }
    }
    for (keyword, rule) in keywords {
      switch keyword {
      case "$schema", "$defs", "title", "description", "default": break
      case "type":
        require(Self.type(of: value) == rule.text || (rule.text == "\"number\""), keyword)
      case "$ref": faults += try self.faults(value, definition(rule), place)
      case "enum": require(Self.list(rule).contains(value), keyword)
      case "oneOf":
        let valid = try Self.list(rule).count { try self.faults(value, $0, place).isEmpty }
        require(valid == 1, keyword)
      case "required":
        require(
          Self.list(rule).allSatisfy { key in Self.keys(value).contains(Self.string(key)) }, keyword
        )
      case "properties", "additionalProperties":
        guard case .object(let pairs) = value else { continue }
        for (key, own) in pairs {
          let known = schema["properties"][key]
          if keyword == "properties", known != .null {
            faults += try self.faults(own, known, "\(place)/\(key)")
          } else if keyword == "additionalProperties", known == .null {
            if rule == .bool(false) {
              faults.append("\(place): additional \(key)")
            } else {
              faults += try self.faults(own, rule, "\(place)/\(key)")
            }
          }
        }
      case "items":
        for (index, item) in Self.list(value).enumerated() {
          faults += try self.faults(item, rule, "\(place)/\(index)")
        }
      case "minItems", "maxItems", "minProperties":
        let count = keyword == "minProperties" ? Self.keys(value).count : Self.list(value).count
        let isOfKind =
          Self.type(of: value) == (keyword == "minProperties" ? "\"object\"" : "\"array\"")
        let bound = Self.integer(rule)
        require(!isOfKind || (keyword == "maxItems" ? count <= bound : count >= bound), keyword)
      case "uniqueItems":
        let items = Self.list(value).map(\.text)
        require(Set(items).count == items.count, keyword)
      case "minimum", "maximum":
        guard case .integer(let number) = value else { continue }
        require(
          keyword == "minimum" ? number >= Self.integer(rule) : number <= Self.integer(rule),
          keyword)
      case "pattern":
        guard case .string(let text) = value else { continue }
        require(try text.contains(Regex(Self.string(rule))), keyword)
      default: throw UserError("the keyword \(keyword) is not known", at: place)
      }
    }
    return faults
  }

  /// What a reference such as `#/$defs/text` stands for.
  private func definition(_ reference: JSONValue) -> JSONValue {
    Self.string(reference).split(separator: "/").dropFirst().reduce(root) { $0[String($1)] }
  }

  private static func type(of value: JSONValue) -> String {
    switch value {
    case .object: "\"object\""
    case .array: "\"array\""
    case .string: "\"string\""
    case .integer: "\"integer\""
    case .number: "\"number\""
    case .bool: "\"boolean\""
    case .null: "\"null\""
    }
  }

  private static func list(_ value: JSONValue) -> [JSONValue] {
    if case .array(let list) = value { list } else { [] }
  }

  private static func keys(_ value: JSONValue) -> [String] {
    if case .object(let pairs) = value { pairs.map(\.key) } else { [] }
  }

  private static func string(_ value: JSONValue) -> String {
    if case .string(let text) = value { text } else { "" }
  }

  private static func integer(_ value: JSONValue) -> Int {
    if case .integer(let number) = value { number } else { 0 }
  }
}
