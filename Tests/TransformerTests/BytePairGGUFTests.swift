import Foundation
import TensorCore
import Testing

@testable import Transformer

@Suite struct BytePairGGUFTests {
  private static func smollm2() throws -> any Tokenizer {
    let path = try ModelFiles.path(
      ModelFiles.smollm2, remedy: "copy the file there, or set ICL_PROBE_MODELS to its folder")
    return try makeTokenizer(GGUFFile(path).tokenizerVocabulary(), place: path)
  }

  @Test func smollm2EncodesAndDecodesAllReferenceTexts() throws {
    let tokenizer = try Self.smollm2()
    #expect(tokenizer.vocabularySize == 49152)
    let rows = try TokenizerReference.rows("smollm2")
    #expect(rows.count == 400)
    for row in rows {
      #expect(try tokenizer.encode(row.text) == row.ids, "\(row.text.debugDescription)")
      #expect(tokenizer.bytes(of: row.ids) == row.decoded, "\(row.text.debugDescription)")
    }
  }

  @Test func smollm2DecodesIllFormedSequences() throws {
    let tokenizer = try Self.smollm2()
    let cases = try TokenizerReference.decodings("smollm2")
    #expect(cases.count == 60)
    for decoding in cases {
      #expect(tokenizer.bytes(of: decoding.ids) == decoding.bytes)
      #expect(tokenizer.decode(decoding.ids).utf8.elementsEqual(decoding.lossyText.utf8))
    }
  }

  @Test func smollm2ParsesSpecialTokensOnlyWhenAsked() throws {
    let tokenizer = try Self.smollm2()
    let cases = try TokenizerReference.specials("smollm2")
    #expect(!cases.isEmpty)
    for special in cases {
      #expect(try tokenizer.encode(special.text, parsingSpecialTokens: true) == special.parsed)
      #expect(try tokenizer.encode(special.text, parsingSpecialTokens: false) == special.unparsed)
      #expect(tokenizer.decode(special.parsed) == special.text)
    }
  }

  @Test func smollm2MergesOneLongPieceInGoodTime() throws {
    let tokenizer = try Self.smollm2()
    let word = String(repeating: "antidisestablishmentarianism", count: 20_000)
    let start = ContinuousClock.now
    let ids = try tokenizer.encode(word)
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(tokenizer.decode(ids) == word)
  }

  /// a b c ab bc abc Ġ Ġa, a user-defined and a control token.
  private static func small(
    _ merges: [String] = ["b c", "a b", "a bc", "Ġ a"], preTokenizer: String? = "gpt-2",
    kinds: [TokenizerVocabulary.Kind]? = nil
  ) throws -> BytePairTokenizer {
    let pieces = ["a", "b", "c", "ab", "bc", "abc", "Ġ", "Ġa", "<tool call>", "<end>", "<end>s"]
    let standard: [TokenizerVocabulary.Kind] =
      Array(repeating: .normal, count: 8) + [.userDefined, .control, .control]
    return try BytePairTokenizer(
      TokenizerVocabulary(
        model: "gpt2", preTokenizer: preTokenizer, pieces: pieces, kinds: kinds ?? standard,
        merges: merges), place: "small.gguf")
  }

  @Test func earlierMergesComeFirstAndEqualOnesFromTheLeft() throws {
    #expect(try Self.small().encode("abc") == [5])
    #expect(try Self.small(["a b", "b c"]).encode("abc") == [3, 2])
    #expect(try Self.small(["b c", "a b"]).encode("abc") == [0, 4])
    #expect(try Self.small(["b c", "a b"]).encode("abcabab") == [0, 4, 3, 3])
    #expect(try Self.small(["b c", "a b", "b c"]).encode("abc") == [0, 4])
  }

  @Test func bytesWithoutTokenAreDroppedAndTheirNeighboursMerge() throws {
    #expect(try Self.small().encode("azbxc") == [5])
    #expect(try Self.small().encode("\0é") == [])
    #expect(try Self.small().encode("") == [])
  }

  @Test func userDefinedTokensAreAlwaysCutOutAndControlTokensWhenAsked() throws {
    let tokenizer = try Self.small()
    #expect(try tokenizer.encode("a<tool call>bc<end>s") == [0, 8, 4])
    #expect(
      try tokenizer.encode("a<tool call>bc<end>s", parsingSpecialTokens: true) == [0, 8, 4, 10])
    #expect(try tokenizer.encode("<end><end", parsingSpecialTokens: true) == [9])
    #expect(tokenizer.decode([8, 9, 7]) == "<tool call><end> a")
    #expect(tokenizer.bytes(of: 11) == [] && tokenizer.bytes(of: -1) == [])
  }

  @Test func badVocabulariesAreRefusedByName() {
    #expect { try Self.small(preTokenizer: "next-year") } throws: { error in
      "\(error)".contains("small.gguf: unknown pre-tokenizer \"next-year\"")
    }
    #expect { try Self.small([]) } throws: { error in
      "\(error)".contains("small.gguf: there are no merges")
    }
    for merge in ["", " ", "ab", "a  b", "a x", "c b", "a b c"] {
      #expect { try Self.small(["b c", merge]) } throws: { error in
        "\(error)".contains("merge 1, \"\(merge)\", is not two pieces")
      }
    }
    #expect { try Self.small(kinds: [.normal]) } throws: { error in
      "\(error)".contains("11 pieces but 1 token types")
    }
    #expect {
      try makeTokenizer(TokenizerVocabulary(model: "rwkv", pieces: ["a"]), place: "m.gguf")
    } throws: { error in
      "\(error)".contains("m.gguf: unknown tokenizer \"rwkv\"")
        && "\(error)".contains("known are gpt2, llama")
    }
    #expect(throws: UserError.self) {
      try makeTokenizer(TokenizerVocabulary(model: "gpt2", pieces: []), place: "m.gguf")
    }
  }

  @Test func alphabetIsGPT2s() {
    #expect(Set(ByteLevelAlphabet.scalars).count == 256)
    #expect(ByteLevelAlphabet.scalars[0x20] == "Ġ" && ByteLevelAlphabet.scalars[0x0A] == "Ċ")
    #expect(ByteLevelAlphabet.scalars[0] == "Ā" && ByteLevelAlphabet.scalars[0xAD] == "Ń")
    for (byte, scalar) in ByteLevelAlphabet.scalars.enumerated() {
      #expect(ByteLevelAlphabet.byte(scalar) == UInt8(byte))
    }
    #expect(ByteLevelAlphabet.byte("\u{144}") == nil && ByteLevelAlphabet.byte(" ") == nil)
  }
}
