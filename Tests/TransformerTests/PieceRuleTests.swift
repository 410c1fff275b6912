import TensorCore
import Testing

@testable import Transformer

/// Expected pieces are those that the published regular expressions make in HF tokenizers 0.23.3.
@Suite struct PieceRuleTests {
  private func pieces(_ text: String, _ name: String) throws -> [String] {
    let rule = try GGUFPreTokenizer(named: name, place: "test").preTokenizer
    let pieces = try rule.pieces(of: Array(text.utf8), isFirst: true)
    return zip([0] + pieces.ends, pieces.ends).map {
      String(decoding: pieces.text[$0..<$1], as: UTF8.self)
    }
  }

  private func expect(_ text: String, _ name: String, _ expected: [String]) throws {
    let found = try pieces(text, name)
    // As bytes: Swift's == would take canonically equivalent texts for equal.
    #expect(found.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(name): \(found)")
  }

  @Test func contractionsAndNumbers() throws {
    let text = "I'll say it's 1234 o'clock, DON'T you?"
    let gpt2 = [
      "I", "'ll", " say", " it", "'s", " 1234", " o", "'", "clock", ",", " DON", "'", "T", " you",
      "?",
    ]
    try expect(text, "gpt-2", gpt2)
    try expect(text, "gpt2", gpt2)
    try expect(
      text, "smollm", gpt2.flatMap { $0 == " 1234" ? [" ", "1", "2", "3", "4"] : [$0] })
    let lineAware = ["I", "'ll", " say", " it", "'s", " "]
    let rest = [" o", "'clock", ",", " DON", "'T", " you", "?"]
    try expect(text, "llama-bpe", lineAware + ["123", "4"] + rest)
    try expect(text, "qwen2", lineAware + ["1", "2", "3", "4"] + rest)
  }

  @Test func whitespaceAndLineBreaks() throws {
    let text = "a  b\n\n c\r\n\r\nd  "
    for name in ["gpt-2", "smollm"] {
      try expect(text, name, ["a", " ", " b", "\n\n", " c", "\r\n\r", "\n", "d", "  "])
    }
    for name in ["llama3", "qwen2"] {
      try expect(text, name, ["a", " ", " b", "\n\n", " c", "\r\n\r\n", "d", "  "])
    }
    try expect("x  1  2", "gpt-2", ["x", " ", " 1", " ", " 2"])
    try expect("x  1  2", "smollm", ["x", "  ", "1", "  ", "2"])
    try expect("x  1  2", "llama3", ["x", " ", " ", "1", " ", " ", "2"])
  }

  @Test func scalarsOutsideASCII() throws {
    let text = "e\u{301} \u{3000}\u{A0}y\u{200B}z '\u{17F}'S"
    try expect(
      text, "smollm",
      [
        "e", "\u{301}", " \u{3000}", "\u{A0}", "y", "\u{200B}", "z", " '", "\u{17F}", "'", "S",
      ])
    try expect(
      text, "qwen2",
      ["e", "\u{301}", " \u{3000}", "\u{A0}y", "\u{200B}z", " '", "\u{17F}", "'S"])
    let numbers = "中文,ひら\u{85} ١٢٣٤ ²Ⅻ"
    try expect(numbers, "gpt-2", ["中文", ",", "ひら", "\u{85}", " ١٢٣٤", " ²Ⅻ"])
    try expect(
      numbers, "smollm",
      ["中文", ",", "ひら", "\u{85} ", "١", "٢", "٣", "٤", " ", "²", "Ⅻ"])
    try expect(
      numbers, "llama-bpe", ["中文", ",ひら", "\u{85}", " ", "١٢٣", "٤", " ", "²Ⅻ"])
  }

  @Test func punctuationAndWords() throws {
    let text = "\tx (word)...\n\nend"
    try expect(text, "gpt-2", ["\t", "x", " (", "word", ")...", "\n", "\n", "end"])
    try expect(text, "llama-bpe", ["\tx", " (", "word", ")...\n\n", "end"])
  }

  @Test func everyTextIsCoveredOnce() throws {
    for name in ["gpt-2", "smollm", "llama-bpe", "qwen2"] {
      for text in ["", " ", "'", "'r", "\r\n", "\0", "👩‍👩‍👧 é"] {
        #expect(try pieces(text, name).joined().utf8.elementsEqual(text.utf8))
      }
    }
  }
}
