import TensorCore
import Testing

@testable import Transformer

@Suite struct RegularExpressionTests {
  /// What Hugging Face tokenizers 0.23.3 (Oniguruma) cut a thousand random texts into, one piece a
  /// match.
  private static func digests(_ key: String) throws -> [(name: String, digest: String)] {
    let reader = try #require(try TokenizerFamily.object("rules.json")[key])
    return try reader.entries().map { ($0, try $1.string()) }
  }

  private func digest(_ rule: PreTokenizer) throws -> String {
    let texts = try RandomTexts(seed: 15)
    var digest = Digest()
    for index in 0..<1000 {
      let pieces = try rule.pieces(of: Array(texts[index].utf8), isFirst: true)
      for (start, end) in zip([0] + pieces.ends, pieces.ends) {
        digest.add(pieces.text[start..<end])
        digest.add([0xFF])
      }
      digest.add([0xFE])
    }
    return digest.text
  }

  @Test func expressionsMatchAsOnigurumaDoes() throws {
    let expressions = try Self.digests("expressions")
    #expect(expressions.count == 42)
    for (pattern, expected) in expressions {
      let expression = SplitPattern.expression(try RegularExpression(pattern, place: "x"))
      let found = try digest(PreTokenizer([.split(expression, .isolated, inverts: false)]))
      #expect(found == expected, "\(pattern)")
    }
  }

  @Test func namesOfGGUFFilesCutAsTheirExpressions() throws {
    let names = try Self.digests("names")
    #expect(names.count == 29)
    for (name, expected) in names {
      let rule = try GGUFPreTokenizer(named: name, place: "x").preTokenizer
      #expect(try digest(rule) == expected, "\(name)")
    }
    #expect(try digest(GGUFPreTokenizer(named: nil, place: "x").preTokenizer) == names[0].digest)
  }

  @Test func rulesByHandAreTheirExpressions() throws {
    for (rule, digits) in [(3, #"\p{N}{1,3}"#), (1, #"\p{N}"#)] {
      let pattern = PieceRule.lineAwareExpression(digits: digits)
      #expect(PieceRule(expression: pattern) == .lineAware(maximumDigits: rule))
      let expression = SplitPattern.expression(try RegularExpression(pattern, place: "x"))
      let hand = SplitPattern.rule(.lineAware(maximumDigits: rule))
      #expect(
        try digest(PreTokenizer([.split(expression, .isolated, inverts: false)]))
          == digest(PreTokenizer([.split(hand, .isolated, inverts: false)])))
    }
  }

  @Test(arguments: [
    ("(?<=a)b", #"has a group "(?<…""#), (#"\p{Han}"#, #"has "\p{Han}""#),
    ("[[:alpha:]]", "POSIX"), ("a)", #"has a ")" too many"#), ("(a", "does not end"),
    ("[a", "ends too early"), ("*a", "nothing before it"), (#"\G"#, #"has "\G""#),
    ("[b-a]", "backwards"), ("a{1001}", "1000 times"), ("(((ab){99}){99}){99}", "is too long"),
    ("(((){999}){999}){999}", "is too long"),
    (String(repeating: "(", count: 200), "nested"), (#"\x{110000}"#, "code point"),
  ]) func whatIsNotKnownIsNamed(pattern: String, problem: String) {
    #expect {
      _ = try RegularExpression(pattern, place: "t.json")
    } throws: { error in
      "\(error)".hasPrefix("t.json: the regular expression \"\(pattern)\" ")
        && "\(error)".contains(problem)
    }
  }

  @Test func whatDoesNotComeToAnEndIsAnError() throws {
    let expression = try RegularExpression("(a|aa|a?)+b", place: "x")
    let text = Array(String(repeating: "a", count: 60).utf8)
    #expect { try expression.matches(in: ClassifiedText(text.span)) } throws: { error in
      "\(error)".contains("does not come to an end")
    }
  }

  /// Python's `re` gives the same.
  @Test func longTextsNeedNoRecursion() throws {
    let expression = try RegularExpression(#"(?:\p{L}\p{M}*)+|\s"#, place: "x")
    let text = Array((String(repeating: "ab", count: 100_000) + " c").utf8)
    #expect(
      try expression.matches(in: ClassifiedText(text.span)) == [
        0..<200_000, 200_000..<200_001, 200_001..<200_002,
      ])
  }
}
