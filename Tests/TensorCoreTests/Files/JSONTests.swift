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

  @Test(arguments: ["", "{", "{\"a\":}", "nul", "[1 2]", "{\"a\": 1", "\"\\ud800\""])
  func refusesWhatIsNotJSON(text: String) {
    #expect(throws: UserError.self) { try Self.parse(text) }
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
}
