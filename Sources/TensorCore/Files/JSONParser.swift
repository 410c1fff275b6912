/// Reads JSON text (RFC 8259): keys keep their order, whole numbers that an `Int` can hold stay exact.
///
/// Stricter than the standard where it leaves a choice: a key may not appear twice in an object,
/// nesting stops at `deepest` levels, and digits must give a number that is finite as f64. Beyond
/// the standard, `NaN`, `Infinity` and `-Infinity` are read, since Python writes them; `JSONReader`
/// refuses them where somebody asks for the number.
struct JSONParser {
  /// What is wrong, and the byte where.
  struct Fault: Error {
    let problem: String
    let offset: Int
  }

  /// Most levels of lists and objects; bounds the stack.
  static let deepest = 200

  private let bytes: [UInt8]
  private var index = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The one value that the text holds.
  mutating func document() throws(Fault) -> JSONValue {
    // Editors on Windows begin UTF-8 files with a byte-order mark.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw fault("the text is UTF-16, not UTF-8")
    }
    let value = try value(depth: 0)
    skipSpace()
    guard index == bytes.count else { throw fault("text after the end of the value") }
    return value
  }

  /// Line and column of a byte, both from 1; columns count characters as Unicode scalars.
  func position(of offset: Int) -> (line: Int, column: Int) {
    let before = bytes[..<min(offset, bytes.count)]
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return (
      before.count { $0 == UInt8(ascii: "\n") } + 1,
      before[start...].count { $0 & 0xC0 != 0x80 } + 1
    )
  }

  private func fault(_ problem: String, at offset: Int? = nil) -> Fault {
    Fault(problem: problem, offset: offset ?? index)
  }

  /// The next byte, or 0 at the end, which no JSON text contains.
  private var next: UInt8 { index < bytes.count ? bytes[index] : 0 }

  private mutating func skipSpace() {
    while next == 0x20 || next == 0x0A || next == 0x0D || next == 0x09 { index += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard next == byte else { return false }
    index += 1
    return true
  }

  private mutating func value(depth: Int) throws(Fault) -> JSONValue {
    skipSpace()
    switch next {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard depth < Self.deepest else { throw fault("more than \(Self.deepest) levels of nesting") }
      return next == UInt8(ascii: "{")
        ? try object(depth: depth + 1) : try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "N"): return try word("NaN", .number(.nan))
    case UInt8(ascii: "I"): return try word("Infinity", .number(.infinity))
    default: throw fault(index < bytes.count ? "a value is missing" : "the text ends too early")
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(Fault) -> JSONValue {
    guard bytes[index...].starts(with: word.utf8) else { throw fault("a value is missing") }
    index += word.utf8.count
    return value
  }

  private mutating func array(depth: Int) throws(Fault) -> JSONValue {
    index += 1
    var items: [JSONValue] = []
    skipSpace()
    if take(UInt8(ascii: "]")) { return .array(items) }
    repeat {
      items.append(try value(depth: depth))
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "]")) else { throw fault("a comma or \"]\" is missing") }
    return .array(items)
  }

  private mutating func object(depth: Int) throws(Fault) -> JSONValue {
    index += 1
    var pairs: [(key: String, value: JSONValue)] = []
    // As bytes: String's == would take canonically equivalent keys for equal.
    var keys: Set<[UInt8]> = []
    skipSpace()
    if take(UInt8(ascii: "}")) { return .object(pairs) }
    repeat {
      skipSpace()
      let start = index
      guard next == UInt8(ascii: "\"") else { throw fault("a key in quotes is missing") }
      let key = try string()
      guard keys.insert(Array(key.utf8)).inserted else {
        throw fault("the key \"\(key)\" appears twice", at: start)
      }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { throw fault("a colon is missing") }
      pairs.append((key, try value(depth: depth)))
      skipSpace()
    } while take(UInt8(ascii: ","))
    guard take(UInt8(ascii: "}")) else { throw fault("a comma or \"}\" is missing") }
    return .object(pairs)
  }

  private mutating func digits() throws(Fault) {
    let start = index
    while next >= UInt8(ascii: "0"), next <= UInt8(ascii: "9") { index += 1 }
    guard index > start else { throw fault("a digit is missing") }
  }

  private mutating func number() throws(Fault) -> JSONValue {
    let start = index
    if take(UInt8(ascii: "-")), next == UInt8(ascii: "I") {
      return try word("Infinity", .number(-.infinity))
    }
    let first = index
    try digits()
    guard bytes[first] != UInt8(ascii: "0") || index == first + 1 else {
      throw fault("a number begins with 0", at: start)
    }
    var isWhole = true
    if take(UInt8(ascii: ".")) {
      isWhole = false
      try digits()
    }
    if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
      isWhole = false
      if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
      try digits()
    }
    let text = String(decoding: bytes[start..<index], as: UTF8.self)
    if isWhole, let whole = Int(text) { return .integer(whole) }
    guard let number = Double(text), number.isFinite else {
      throw fault("the number is too large", at: start)
    }
    return .number(number)
  }

  private mutating func string() throws(Fault) -> String {
    index += 1
    let start = index
    var text: [UInt8] = []
    var copied = start
    while true {
      switch next {
      case UInt8(ascii: "\""):
        text += bytes[copied..<index]
        index += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw fault("a text is not UTF-8", at: start)
        }
        return string
      case UInt8(ascii: "\\"):
        text += bytes[copied..<index]
        text += Array(String(try escape()).utf8)
        copied = index
      case 0..<0x20:
        guard index < bytes.count else { throw fault("quotes are not closed", at: start - 1) }
        throw fault("a control character in a text")
      default: index += 1
      }
    }
  }

  private mutating func escape() throws(Fault) -> Unicode.Scalar {
    let start = index
    index += 2
    switch bytes.indices.contains(start + 1) ? bytes[start + 1] : 0 {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      var value = hexadecimal()
      if let high = value, 0xD800..<0xDC00 ~= high,
        take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let low = hexadecimal(),
        0xDC00..<0xE000 ~= low
      {
        value = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)
      }
      guard let scalar = value.flatMap(Unicode.Scalar.init) else { break }
      return scalar
    default: break
    }
    throw fault("an escape that is no character", at: start)
  }

  /// Four hexadecimal digits.
  private mutating func hexadecimal() -> UInt32? {
    guard index + 4 <= bytes.count else { return nil }
    let digits = bytes[index..<index + 4]
    index += 4
    // `UInt32(_:radix:)` alone would take a sign.
    guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
  }
}
