import Foundation
import TensorCore
import Testing

@testable import Transformer

@Suite struct SentencePieceTests {
  /// Gemma's vocabulary is fetched, not committed; leaving these tests out must be said aloud.
  @Suite(
    .enabled(
      if: ProcessInfo.processInfo.environment["ICL_PROBE_SKIP_GEMMA"] == nil,
      "ICL_PROBE_SKIP_GEMMA is set"))
  struct Gemma {
    private static func tokenizer() throws -> any Tokenizer {
      let path = try ModelFiles.path(
        ModelFiles.gemmaVocabulary,
        remedy: "run Tests/fetch-gemma-vocabulary, or set ICL_PROBE_SKIP_GEMMA=1 to do without")
      return try makeTokenizer(GGUFFile(path).tokenizerVocabulary(), place: path)
    }

    @Test func encodesAndDecodesAllReferenceTexts() throws {
      let tokenizer = try Self.tokenizer()
      #expect(tokenizer.vocabularySize == 262_144)
      let rows = try TokenizerReference.rows("gemma3")
      #expect(rows.count == 400)
      for row in rows {
        #expect(tokenizer.encode(row.text) == row.ids, "\(row.text.debugDescription)")
        #expect(tokenizer.bytes(of: row.ids) == row.decoded, "\(row.text.debugDescription)")
      }
    }

    @Test func decodesIllFormedSequences() throws {
      let tokenizer = try Self.tokenizer()
      let cases = try TokenizerReference.decodings("gemma3")
      #expect(cases.count == 60)
      for decoding in cases {
        #expect(tokenizer.bytes(of: decoding.ids) == decoding.bytes)
        #expect(tokenizer.decode(decoding.ids).utf8.elementsEqual(decoding.lossyText.utf8))
      }
    }

    @Test func parsesSpecialTokensOnlyWhenAsked() throws {
      let tokenizer = try Self.tokenizer()
      let cases = try TokenizerReference.specials("gemma3")
      #expect(!cases.isEmpty)
      for special in cases {
        #expect(tokenizer.encode(special.text, parsingSpecialTokens: true) == special.parsed)
        #expect(tokenizer.encode(special.text, parsingSpecialTokens: false) == special.unparsed)
      }
    }

    @Test func decodesWhatItEncodedForEveryScalar() throws {
      let tokenizer = try Self.tokenizer()
      for start in stride(from: UInt32(0), to: 0x11_0000, by: 0x400) {
        var text = ""
        for value in start..<start + 0x400 where value != 0x2581 {
          if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
        }
        #expect(tokenizer.bytes(of: tokenizer.encode(text)).elementsEqual(text.utf8))
      }
    }
  }

  private static func small(
    spacePrefix: Bool = false, unknownID: Int? = 0, scores: [Float]? = nil, extra: String? = nil,
    bytes: Bool = false
  ) throws -> SentencePieceTokenizer {
    var pieces = ["<unk>", "<s>", "a", "b", "c", "▁", "ab", "bc", "▁a", "  ", "abc"]
    var kinds: [TokenizerVocabulary.Kind] =
      [.normal, .control] + Array(repeating: .normal, count: 7) + [.userDefined, .unused]
    var standard: [Float] = [0, 0, -9, -9, -9, -9, -2, -1, -3, 0, 0]
    if let extra {
      pieces.append(extra)
      kinds.append(.normal)
      standard.append(-9)
    }
    if bytes {
      for byte in UInt8.min...UInt8.max {
        pieces.append(
          "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">")
        kinds.append(.byte)
        standard.append(0)
      }
    }
    return try SentencePieceTokenizer(
      TokenizerVocabulary(
        model: "llama", pieces: pieces, scores: scores ?? standard, kinds: kinds,
        addsSpacePrefix: spacePrefix, unknownID: unknownID), place: "small.gguf")
  }

  @Test func higherScoresMergeFirst() throws {
    #expect(try Self.small().encode("abc") == [2, 7])
    #expect(try Self.small().encode("ab a") == [6, 8])
    #expect(try Self.small().encode("") == [])
  }

  @Test func userDefinedSpacesAreCutOutFirst() throws {
    #expect(try Self.small().encode("  a") == [9, 2])
    #expect(try Self.small().encode("   a") == [9, 8])
    #expect(try Self.small().decode([9, 8]) == "   a")
  }

  @Test func spacePrefixIsAddedAndTakenAwayAgain() throws {
    let tokenizer = try Self.small(spacePrefix: true)
    #expect(tokenizer.encode("a") == [8])
    #expect(tokenizer.decode([8]) == "a")
    #expect(tokenizer.bytes(of: 8) == Array(" a".utf8))
  }

  @Test func whatNoPieceCoversIsUnknownOrBytes() throws {
    #expect(try Self.small().encode("azb") == [2, 0, 3])
    let tokenizer = try Self.small(bytes: true)
    #expect(tokenizer.encode("aé") == [2, 11 + 0xC3, 11 + 0xA9])
    #expect(tokenizer.bytes(of: [2, 11 + 0xC3]) == [0x61, 0xC3])
  }

  @Test func specialTokensAreParsedWhenAsked() throws {
    let tokenizer = try Self.small(bytes: true)
    #expect(tokenizer.encode("a<s>b<unk>", parsingSpecialTokens: true) == [2, 1, 3, 0])
    #expect(tokenizer.decode(tokenizer.encode("a<s>b<unk>")) == "a<s>b<unk>")
    #expect(tokenizer.decode([1]) == "<s>")
    #expect(tokenizer.bytes(of: 9999) == [])
  }

  @Test func badVocabulariesAreRefused() {
    #expect { try Self.small(unknownID: nil) } throws: { error in
      "\(error)".contains("small.gguf: the vocabulary has no unknown token")
    }
    #expect(throws: UserError.self) { try Self.small(unknownID: 11) }
    #expect { try Self.small(scores: [1]) } throws: { error in
      "\(error)".contains("11 pieces but 1 scores")
    }
    #expect { try Self.small(extra: "▁a") } throws: { error in
      "\(error)".contains("does not make a SentencePiece model: ▁a is already defined")
    }
    #expect(throws: UserError.self) { try Self.small(extra: "") }
    #expect {
      try SentencePieceTokenizer(
        TokenizerVocabulary(
          model: "llama", pieces: ["<unk>", "<0xZZ>"], scores: [0, 0], kinds: [.unknown, .byte]),
        place: "x.gguf")
    } throws: { error in
      "\(error)".contains("the byte token 1 is \"<0xZZ>\"")
    }
    #expect(throws: UserError.self) {
      try SentencePieceTokenizer(
        TokenizerVocabulary(
          model: "llama", pieces: ["<unk>", "<0x00>"], scores: [0, 0], kinds: [.unknown, .byte]),
        place: "x.gguf")
    }
  }
}
