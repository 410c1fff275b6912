import Foundation
import Testing

@testable import TensorCore

struct JSONTests {
  static func parse(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Data(text.utf8), place: "x.json")
  }

  @Test func writesKeysInOrderAndFloatsShortly() {
    let value: JSONValue = .object([
      ("b", 1), ("a", .number(Double(0.1 as Float))), ("c", .array([.null, true, .number(0.1)])),
      ("d", .number(.nan)), ("e", "q\"\\\n\u{7F}\u{2028}é"),
    ])
    #expect(
      value.text
        == #"{"b": 1, "a": 0.1, "c": [null, true, 0.1], "d": null, "e": "q\"\\\n\u007f\u2028é"}"#)
  }

  @Test func readsBackWhatItWrote() throws {
    let value: JSONValue = .object([
      ("a", .array([1, -7, .number(2.5), .number(1e300), "x\u{0}\r\n"])),
      ("b", .object([("c", .null), ("d", false)])), ("e", .array([])), ("f", .object([])),
    ])
    #expect(try Self.parse(value.text) == value)
    #expect(try Self.parse(value.prettyText) == value)
  }

  @Test func prettyTextIndentsObjects() {
    let value: JSONValue = .object([("a", .array([1, 2])), ("b", .object([("c", 3)]))])
    #expect(value.prettyText == "{\n  \"a\": [1, 2],\n  \"b\": {\n    \"c\": 3\n  }\n}\n")
  }

  @Test func tellsNormalFormsApart() throws {
    #expect(try Self.parse("\"\u{E9}\"") != Self.parse("\"e\u{301}\""))
  }

  @Test func keepsTheOrderOfKeysAndTheExactnessOfNumbers() throws {
    let text = #" {"b" : [ ] , "a":-12, "é": 9223372036854775807, "e\u0301": 1.0, "": {}} "# + "\n"
    #expect(
      try Self.parse(text)
        == .object([
          ("b", .array([])), ("a", -12), ("\u{E9}", .integer(.max)), ("e\u{301}", .number(1)),
          ("", .object([])),
        ]))
    let numbers = try Self.parse("[0, -0.0, 1e2, 2.5E-3, 9223372036854775808, 1e-999, 0.1]")
    #expect(
      numbers
        == .array([
          0, .number(-0.0), .number(100), .number(0.0025), .number(0x1p63), .number(0),
          .number(0.1),
        ]))
  }

  @Test func readsEscapesAndAnyScalar() throws {
    let text = #""\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00é😀\u0000""#
    #expect(try Self.parse(text) == "\"\\/\u{8}\u{C}\n\r\t\u{E9}\u{1F600}é😀\0")
    #expect(try Self.parse("\u{FEFF}[true]") == [true])
  }

  /// As Python's json module writes them; only who wants the number must refuse it.
  @Test func readsNumbersThatAreNotFinite() throws {
    let fields = try JSONReader(
      Self.parse(#"{"a": Infinity, "b": [-Infinity, 1], "c": NaN}"#), place: "x.json"
    ).object(required: ["a", "b", "c"])
    #expect(fields["a"]?.value == .number(.infinity))
    #expect(fields["b"]?.value == [.number(-.infinity), 1])
    for (key, word) in [("a", "Infinity"), ("c", "NaN")] {
      let error = #expect(throws: UserError.self) { try fields[key]?.number() }
      #expect(
        error?.description
          == "x.json, \(key): found \(word) where a finite number belongs; mend the value")
      #expect(throws: UserError.self) { try fields[key]?.integer() }
    }
  }

  @Test func saysThatATextIsUTF16() throws {
    for encoding in [String.Encoding.utf16LittleEndian, .utf16BigEndian] {
      let data = try #require("\u{FEFF}{}".data(using: encoding))
      let error = #expect(throws: UserError.self) { try JSONValue(parsing: data, place: "x.json") }
      #expect(error?.description.contains("UTF-16, not UTF-8") == true)
    }
  }

  @Test func stopsAtTwoHundredLevels() throws {
    func nested(_ levels: Int) -> String {
      String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
    }
    #expect(try Self.parse(nested(200)).kind == "a list")
    let error = #expect(throws: UserError.self) { try Self.parse(nested(201)) }
    #expect(error?.description.contains("levels of nesting (line 1, column 201)") == true)
    #expect(throws: UserError.self) { try Self.parse(String(repeating: "{\"a\":", count: 100_000)) }
  }

  /// A text and what the error must say.
  static let faults: [(String, String)] = [
    ("", "ends too early (line 1, column 1)"), ("{", "a key in quotes"), ("[", "ends too early"),
    ("{\"a\":}", "a value is missing (line 1, column 6)"), ("nul", "a value is missing"),
    ("[1 2]", "a comma or \"]\""), ("{\"a\": 1", "a comma or \"}\""), ("{\"a\" 1}", "a colon"),
    ("[1,]", "a value is missing"), ("{\"a\": 1,}", "a key in quotes"), ("{1: 2}", "a key"),
    ("[1]\n\n é]", "text after the end of the value (line 3, column 2)"),
    ("[\"é\", x]", "a value is missing (line 1, column 7)"),
    ("{\"a\": 1,\n \"a\": 2}", "the key \"a\" appears twice (line 2, column 2)"),
    ("01", "begins with 0"), ("-", "a digit"), ("1.", "a digit"), ("1e", "a digit"),
    (".5", "a value"), ("+1", "a value"), ("Nan", "a value"), ("-NaN", "a digit"),
    ("Inf", "a value"), ("-Inf", "a value"), ("inf", "a value"), ("1e999", "too large"),
    ("\"a", "quotes are not closed (line 1, column 1)"), ("\"a\nb\"", "control character"),
    ("\"\0\"", "control character"), ("\0", "a value"), ("\"\\", "an escape"),
    (#""\ud800""#, "an escape"), (#""\udc00\ud800""#, "an escape"),
    (#""\ud800\u0041""#, "an escape"),
    (#""\u+123""#, "an escape"), (#""\u12""#, "an escape"), (#""\x""#, "an escape"),
  ]

  @Test(arguments: faults)
  func refusesWhatIsNotJSON(text: String, part: String) throws {
    let error = #expect(throws: UserError.self) { try Self.parse(text) }
    let line = try #require(error).description
    #expect(line.hasPrefix("x.json: not valid JSON: ") && line.contains(part), "\(line)")
  }

  @Test func refusesBytesThatAreNotUTF8() {
    for bytes: [UInt8] in [
      [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
    ] {
      #expect(throws: UserError.self) { try JSONValue(parsing: Data(bytes), place: "x.json") }
    }
  }

  @Test func readerNamesThePlace() throws {
    let reader = JSONReader(
      try Self.parse(#"{"classes": [{"words": [1, "two"]}], "n": 12, "kind": "b"}"#),
      place: "x.json")
    let fields = try reader.object(required: ["classes", "n"], optional: ["kind"])
    let classes = try #require(fields["classes"]).list()
    let words = try #require(classes[0].object(required: ["words"])["words"]).list()
    #expect(words[0].place == "x.json, classes[0].words[0]")
    #expect(try words[0].integer() == 1)
    #expect(try words[0].number() == 1)
    #expect(try words[1].string() == "two")
    #expect(try fields["n"]?.integer(in: 0...12) == 12)
    #expect(try fields["kind"]?.choice(of: ["a", "b"]) == "b")
    let error = #expect(throws: UserError.self) { try words[1].integer() }
    #expect(
      error?.description
        == "x.json, classes[0].words[1]: found a text where a whole number belongs; mend the value")
    #expect(throws: UserError.self) { try fields["n"]?.integer(in: 0...11) }
    #expect(throws: UserError.self) { try fields["kind"]?.choice(of: ["a"]) }
    #expect(throws: UserError.self) { try fields["kind"]?.bool() }
    #expect(throws: UserError.self) { try reader.object(required: ["classes", "n"]) }
    #expect(throws: UserError.self) {
      try reader.object(required: ["classes", "n", "missing"], optional: ["kind"])
    }
  }

  /// With the place of each value as text the key would be copied a hundred thousand times.
  @Test func aLongKeyOverManyValuesTakesNoSquareOfTime() throws {
    let key = String(repeating: "k", count: 1_000_000)
    let values = JSONValue.array(Array(repeating: .integer(1), count: 100_000))
    let reader = JSONReader(.object([(key: key, value: values)]), place: "x.json")
    let time = try ContinuousClock().measure {
      let list = try #require(reader.entries().first).1.list()
      #expect(try list.map { try $0.integer() }.count == 100_000)
    }
    #expect(time < .seconds(2))
  }
}
