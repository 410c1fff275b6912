/// Reads a JSON value strictly: a missing key, a key too many or a value of another kind is answered
/// with the file, the key, what was found and what is allowed.
public struct JSONReader: Sendable {
  public let value: JSONValue
  private let path: JSONPath

  public init(_ value: JSONValue, place: String) {
    self.init(value, JSONPath(place))
  }

  private init(_ value: JSONValue, _ path: JSONPath) {
    self.value = value
    self.path = path
  }

  /// File and key path, for error messages: `tasks/x.json, classes[2].words`.
  public var place: String { path.text }

  public init(contentsOf path: String) throws {
    self.init(try JSONValue(contentsOf: path), place: path)
  }

  private func wrong(_ wanted: String) -> UserError {
    UserError("found \(value.kind) where \(wanted) belongs", at: place, remedy: "mend the value")
  }

  public func string() throws -> String {
    guard case .string(let text) = value else { throw wrong("a text") }
    return text
  }

  public func bool() throws -> Bool {
    guard case .bool(let flag) = value else { throw wrong("true or false") }
    return flag
  }

  /// A finite number.
  public func number() throws -> Double {
    switch value {
    case .integer(let whole): return Double(whole)
    case .number(let number):
      guard number.isFinite else {
        let word = number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity"
        throw UserError(
          "found \(word) where a finite number belongs", at: place, remedy: "mend the value")
      }
      return number
    default: throw wrong("a number")
    }
  }

  public func integer(in range: ClosedRange<Int> = Int.min...Int.max) throws -> Int {
    let whole: Int
    switch value {
    case .integer(let found): whole = found
    default: throw wrong("a whole number")
    }
    guard range.contains(whole) else {
      throw UserError(
        "found \(whole), allowed is \(range.lowerBound) to \(range.upperBound)", at: place,
        remedy: "mend the value")
    }
    return whole
  }

  /// One of the words that `allowed` lists.
  public func choice(of allowed: [String]) throws -> String {
    let word = try string()
    guard allowed.contains(word) else {
      throw UserError(
        "found \"\(word)\", allowed is \(allowed.map { "\"\($0)\"" }.joined(separator: ", "))",
        at: place, remedy: "choose one of these")
    }
    return word
  }

  public func list() throws -> [JSONReader] {
    guard case .array(let items) = value else { throw wrong("a list") }
    return items.enumerated().map { JSONReader($1, path.element($0)) }
  }

  /// The object's readers by key.
  ///
  /// - Parameters:
  ///   - required: keys that must be there.
  ///   - optional: keys that may be there; no others may.
  public func object(required: [String], optional: [String] = []) throws -> [String: JSONReader] {
    let readers = try entries()
    let allowed = required + optional
    for (key, reader) in readers where !allowed.contains(key) {
      throw UserError(
        "unknown key \"\(key)\"; allowed are \(allowed.joined(separator: ", "))", at: place,
        remedy: "remove or rename the key (it holds \(reader.value.kind))")
    }
    let found = Dictionary(readers, uniquingKeysWith: { first, _ in first })
    for key in required where found[key] == nil {
      throw UserError(
        "the key \"\(key)\" is missing; needed are \(required.joined(separator: ", "))", at: place,
        remedy: "add it")
    }
    return found
  }

  /// All keys of an object, whatever they are called, in the value's order.
  public func entries() throws -> [(String, JSONReader)] {
    guard case .object(let pairs) = value else { throw wrong("an object") }
    return pairs.map { ($0.key, JSONReader($0.value, path.key($0.key))) }
  }
}
