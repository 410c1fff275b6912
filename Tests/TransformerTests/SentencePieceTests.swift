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
        #expect(try tokenizer.encode(row.text) == row.ids, "\(row.text.debugDescription)")
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
        #expect(try tokenizer.encode(special.text, parsingSpecialTokens: true) == special.parsed)
        #expect(try tokenizer.encode(special.text, parsingSpecialTokens: false) == special.unparsed)
      }
    }

    @Test func decodesWhatItEncodedForEveryScalar() throws {
      let tokenizer = try Self.tokenizer()
      for start in stride(from: UInt32(0), to: 0x11_0000, by: 0x400) {
        var text = ""
        for value in start..<start + 0x400 where value != 0x2581 {
          if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
        }
        #expect(try tokenizer.bytes(of: tokenizer.encode(text)).elementsEqual(text.utf8))
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
    #expect(try tokenizer.encode("a") == [8])
    #expect(tokenizer.decode([8]) == "a")
    #expect(tokenizer.bytes(of: 8) == Array(" a".utf8))
  }

  @Test func whatNoPieceCoversIsUnknownOrBytes() throws {
    #expect(try Self.small().encode("azb") == [2, 0, 3])
    let tokenizer = try Self.small(bytes: true)
    #expect(try tokenizer.encode("aé") == [2, 11 + 0xC3, 11 + 0xA9])
    #expect(tokenizer.bytes(of: [2, 11 + 0xC3]) == [0x61, 0xC3])
  }

  @Test func specialTokensAreParsedWhenAsked() throws {
    let tokenizer = try Self.small(bytes: true)
    #expect(try tokenizer.encode("a<s>b<unk>", parsingSpecialTokens: true) == [2, 1, 3, 0])
    #expect(try tokenizer.decode(tokenizer.encode("a<s>b<unk>")) == "a<s>b<unk>")
    #expect(tokenizer.decode([1]) == "<s>")
    #expect(tokenizer.bytes(of: 9999) == [])
  }

  @Test func badVocabulariesAreRefused() {
    #expect { try Self.small(scores: [1]) } throws: { error in
      "\(error)".contains("11 pieces but 1 scores")
    }
  }

  /// As SentencePiece and llama.cpp would take them, were they not to refuse them.
  @Test func ofEqualPiecesTheFirstCountsAndEachIsRead() throws {
    let tokenizer = try Self.small(extra: "▁a")
    #expect(try tokenizer.encode("ab a") == [6, 8])
    #expect(tokenizer.decode([11]) == " a" && tokenizer.decode([8]) == " a")
    // A piece with a real space is the same as one with U+2581.
    let spaced = try Self.small(extra: " a")
    #expect(try spaced.encode("ab a") == [6, 8])
    // Canonically equivalent pieces are two.
    let composed = try Self.pieces(["é", "e\u{301}", "e", "\u{301}"])
    #expect(try composed.encode("\u{E9}") == [1] && composed.encode("e\u{301}") == [2])
  }

  @Test func emptyPiecesAndThoseWithNULAreTaken() throws {
    let empty = try Self.small(extra: "")
    #expect(try empty.encode("abc") == [2, 7])
    #expect(empty.bytes(of: 11) == [])
    let null = try Self.pieces(["a", "\0", "a\0"])
    #expect(try null.encode("\0") == [2] && null.encode("a\0b") == [3, 0])
    #expect(null.bytes(of: 3) == [0x61, 0])
    let userDefined = try Self.pieces(["a", "\0"], kind: .userDefined)
    #expect(try userDefined.encode("\0a") == [2, 1])
  }

  @Test func missingBytePiecesAreUnknownOrAnError() throws {
    let tokenizer = try Self.pieces(["a", "<0xC3>", "<0xZZ>"], kind: .byte)
    #expect(try tokenizer.encode("é") == [2, 0])
    #expect(tokenizer.bytes(of: 2) == [0xC3] && tokenizer.bytes(of: 3) == Array("<0xZZ>".utf8))
    let small = try Self.pieces(["a", "<0xc3>", "<0xA9>"], kind: .byte)
    #expect(try small.encode("é") == [2, 3])
    let bare = try Self.pieces(["a", "<0xC3>"], kind: .byte, hasUnknown: false)
    #expect { try bare.encode("é") } throws: { error in
      "\(error)".contains("neither pieces for all of the text nor an unknown token")
    }
  }

  @Test func withoutAnUnknownTokenOnlyTextsThatNeedItAreRefused() throws {
    let tokenizer = try Self.pieces(["a", "b", "ab"], hasUnknown: false)
    #expect(try tokenizer.encode("ab") == [2] && tokenizer.decode([2, 0]) == "aba")
    #expect { try tokenizer.encode("az") } throws: { error in
      "\(error)".contains("small.gguf: the vocabulary has neither pieces")
    }
  }

  /// The unknown token, and pieces of one kind, the likelier the later; single `a`s are normal.
  private static func pieces(
    _ texts: [String], kind: TokenizerVocabulary.Kind = .normal, hasUnknown: Bool = true
  ) throws -> SentencePieceTokenizer {
    let first = hasUnknown ? ["<unk>"] : []
    return try SentencePieceTokenizer(
      TokenizerVocabulary(
        model: "llama", pieces: first + texts, scores: (first + texts).indices.map { Float($0) },
        kinds: first.map { _ in .unknown } + texts.map { $0 == "a" ? .normal : kind }),
      place: "small.gguf")
  }
}
