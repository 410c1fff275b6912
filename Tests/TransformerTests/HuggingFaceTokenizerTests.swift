import TensorCore
import Testing

@testable import Transformer

@Suite struct HuggingFaceTokenizerTests {
  /// A file whose parts are those of a plain byte-level BPE but for what is given.
  private func tokenizer(
    _ changes: [String: String] = [:], model changed: [String: String] = [:],
    vocabulary: String = #"{"b": 1, "a": 0, "abc": 4, "ab": 3, "c": 2}"#
  ) throws -> any Tokenizer {
    let folder = try TemporaryFolder()
    let model = ["type": #""BPE""#, "vocab": vocabulary, "merges": #"["a b", "ab c"]"#]
      .merging(changed) { $1 }
    let parts = [
      "added_tokens": """
      [{"id": 7, "content": "<end>", "special": true}, {"id": 5, "content": "<tool>"}]
      """,
      "normalizer": "null", "pre_tokenizer": #"{"type": "ByteLevel", "add_prefix_space": false}"#,
      "decoder": #"{"type": "ByteLevel"}"#, "model": Self.object(model),
    ].merging(changes) { $1 }
    try folder.write(Self.object(parts), to: "tokenizer.json")
    return ModelTokenizer(folder: folder.path, count: 9).tokenizer
  }

  private static func object(_ parts: [String: String]) -> String {
    "{" + parts.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
  }

  @Test func piecesMergesAndAddedTokensAreRead() throws {
    let plain = try tokenizer()
    #expect(plain.vocabularySize == 8)
    #expect(try plain.encode("abcba<end><tool>", parsingSpecialTokens: true) == [4, 1, 0, 7, 5])
    #expect(try plain.encode("abc<end><tool>") == [4, 5])
    #expect(plain.decode([4, 7, 6, 5]) == "abc<end><6><tool>")
    let pairs = try tokenizer(model: ["merges": #"[["a", "b"], ["ab", "c"]]"#])
    #expect(try pairs.encode("abc") == [4])
    // Of a merge that is listed twice, the later counts.
    let twice = try tokenizer(
      model: ["merges": #"["a b", "b c", "a b"]"#],
      vocabulary: #"{"a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4}"#)
    #expect(try twice.encode("abc") == [0, 4])
  }

  @Test func equivalentPiecesAreTwo() throws {
    let characters = try tokenizer(
      ["pre_tokenizer": "null", "decoder": "null"], model: ["merges": "[]"],
      vocabulary: #"{"\u00e9": 0, "e": 1, "\u0301": 2, "e\u0301": 3}"#)
    #expect(try characters.encode("\u{E9}e\u{301}") == [0, 1, 2])
    #expect(characters.bytes(of: 3) == Array("e\u{301}".utf8))
  }

  @Test func formerMetaspaceFlagsAreRead() throws {
    func ids(_ settings: String) throws -> [Int] {
      try tokenizer(
        ["pre_tokenizer": "{\"type\": \"Metaspace\", \"replacement\": \"▁\"\(settings)}"],
        model: ["merges": "[]"], vocabulary: #"{"▁": 0, "a": 1}"#
      ).encode("a a")
    }
    #expect(try ids("") == [0, 1, 0, 1])
    #expect(try ids(#", "add_prefix_space": true, "str_rep": "▁""#) == [0, 1, 0, 1])
    #expect(try ids(#", "add_prefix_space": false"#) == [1, 0, 1])
    #expect(try ids(#", "prepend_scheme": "never""#) == [1, 0, 1])
  }

  @Test(arguments: [
    (
      "normalizer", #"{"type": "Precompiled", "precompiled_charsmap": ""}"#, "normalizer is Precomp"
    ),
    ("normalizer", #"{"type": "BertNormalizer"}"#, "normalizer is BertNormalizer"),
    (
      "normalizer", #"{"type": "Sequence", "normalizers": [{"type": "X"}]}"#, "normalizer is X"
    ),
    ("pre_tokenizer", #"{"type": "UnicodeScripts"}"#, "pre-tokenizer is UnicodeScripts"),
    (
      "pre_tokenizer",
      #"{"type": "Split", "pattern": {"Regex": "(?<=a)"}, "behavior": "Isolated"}"#,
      "regular expression \"(?<=a)\""
    ),
    (
      "pre_tokenizer", #"{"type": "Split", "pattern": {"String": "a"}, "behavior": "Best"}"#,
      "behavior is Best"
    ),
    (
      "pre_tokenizer",
      #"{"type": "Metaspace", "prepend_scheme": "first", "add_prefix_space": false}"#,
      "first beside add_prefix_space: false"
    ),
    ("decoder", #"{"type": "WordPiece"}"#, "decoder is WordPiece"),
    (
      "decoder",
      #"{"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "ByteFallback"}]}"#,
      "parts behind Fuse"
    ),
    ("model", #"{"type": "Unigram", "vocab": {"a": 0}}"#, "model is Unigram"),
    ("model", #"{"type": "BPE", "vocab": {"a": 0}}"#, "\"merges\" is missing"),
    (
      "model", #"{"type": "BPE", "vocab": {"a": 0}, "merges": [], "end_of_word_suffix": "</w>"}"#,
      "end_of_word_suffix is </w>"
    ),
    (
      "model", #"{"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.1}"#,
      "dropout is 0.1"
    ),
    (
      "model", #"{"type": "BPE", "vocab": {"a": 0}, "merges": [], "unk_token": "<u>"}"#,
      "unknown token \"<u>\" is not in the vocabulary"
    ),
    ("model", #"{"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]}"#, "merge 0, \"a a\""),
    ("added_tokens", #"[{"id": 99999999, "content": "x"}]"#, "allowed is 0 to"),
  ]) func whatIsNotKnownIsNamedWhenTextIsCut(part: String, value: String, problem: String) throws {
    let tokenizer = try tokenizer([part: value])
    #expect { try tokenizer.encode("a") } throws: { error in
      let line = "\(error)"
      return line.contains("/tokenizer.json") && line.contains(problem) && !line.contains("\n")
    }
    // Tokens are shown all the same.
    #expect(!tokenizer.decode([0]).isEmpty)
  }

  @Test func wholePiecesAndByteFallbackAreSettings() throws {
    let whole = try tokenizer(
      model: ["ignore_merges": "true", "merges": "[]"], vocabulary: #"{"a": 0, "b": 1, "ab": 2}"#)
    #expect(try whole.encode("ab") == [2] && whole.encode("aba") == [0, 1, 0])
    let fallback = try tokenizer(
      [
        "pre_tokenizer": "null",
        "decoder":
          #"{"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]}"#,
      ],
      model: ["byte_fallback": "true", "unk_token": #""?""#, "fuse_unk": "true", "merges": "[]"],
      vocabulary: #"{"?": 0, "a": 1, "<0xC3>": 2, "<0xA9>": 3}"#)
    // An unknown character waits for the next known one, past the bytes, as in the reference.
    #expect(try fallback.encode("aéa") == [1, 2, 3, 1] && fallback.encode("üüa") == [0, 1])
    #expect(try fallback.encode("üéa") == [2, 3, 0, 1])
    #expect(fallback.decode([1, 2, 3]) == "aé")
  }
}
