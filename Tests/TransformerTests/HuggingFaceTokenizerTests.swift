import TensorCore
import Testing

@testable import Transformer

@Suite struct HuggingFaceTokenizerTests {
  static let gpt2 = #"{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}"#
  static let smollm = """
    {"type": "Sequence", "pretokenizers": [
      {"type": "Digits", "individual_digits": true},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]}
    """
  static let llama3 = #"""
    {"type": "Sequence", "pretokenizers": [
      {"type": "Split", "behavior": "Isolated", "invert": false, "pattern": {"Regex":
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}
    """#

  static func vocabulary(
    rule: String = gpt2, type: String = "BPE", normaliser: String = "null", extra: String = "",
    merges: String = #"["a b", "ab c"]"#
  ) throws -> TokenizerVocabulary {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      {"added_tokens": [{"id": 7, "content": "<end>", "special": true},
         {"id": 5, "content": "<tool>", "special": false}],
       "normalizer": \(normaliser), "pre_tokenizer": \(rule), "post_processor": null,
       "model": {"type": "\(type)", "vocab": {"b": 1, "a": 0, "abc": 4, "ab": 3, "c": 2},
         "merges": \(merges)\(extra)}}
      """, to: "tokenizer.json")
    return try TokenizerVocabulary(huggingFace: folder.path + "/tokenizer.json")
  }

  @Test func piecesMergesAndAddedTokensAreRead() throws {
    let vocabulary = try Self.vocabulary()
    #expect(vocabulary.preTokenizer == "gpt-2")
    #expect(vocabulary.pieces == ["a", "b", "c", "ab", "abc", "<tool>", "<6>", "<end>"])
    #expect(vocabulary.kinds.suffix(3) == [.userDefined, .unused, .control])
    #expect(vocabulary.merges == ["a b", "ab c"])
    #expect(
      try Self.vocabulary(merges: #"[["a", "b"], ["ab", "c"]]"#).merges == vocabulary.merges)
    let tokenizer = try makeTokenizer(vocabulary, place: "tokenizer.json")
    #expect(tokenizer.encode("abcba<end>", parsingSpecialTokens: true) == [4, 1, 0, 7])
  }

  @Test func preTokenizersAreRecognised() throws {
    #expect(try Self.vocabulary(rule: Self.smollm).preTokenizer == "smollm")
    let whole = #", "ignore_merges": true"#
    #expect(try Self.vocabulary(rule: Self.llama3, extra: whole).preTokenizer == "llama-bpe")
    let qwen = Self.llama3.replacing("{1,3}", with: "")
    let composed = #"{"type": "NFC"}"#
    let vocabulary = try Self.vocabulary(rule: qwen, normaliser: composed)
    #expect(vocabulary.preTokenizer == "qwen2" && vocabulary.composesText)
  }

  @Test func otherTokenizersAreRefused() {
    let whole = #", "ignore_merges": true"#
    let readings: [() throws -> TokenizerVocabulary] = [
      { try Self.vocabulary(type: "Unigram") },
      { try Self.vocabulary(extra: #", "byte_fallback": true"#) },
      { try Self.vocabulary(rule: #"{"type": "Metaspace"}"#) },
      { try Self.vocabulary(rule: "null") },
      { try Self.vocabulary(rule: Self.gpt2.replacing("false", with: "true")) },
      { try Self.vocabulary(rule: Self.llama3.replacing("1,3", with: "1,4"), extra: whole) },
      { try Self.vocabulary(rule: Self.llama3) },
      { try Self.vocabulary(normaliser: #"{"type": "Lowercase"}"#) },
    ]
    for reading in readings {
      #expect { try reading() } throws: { error in
        "\(error)".contains("/tokenizer.json: the tokenizer is ")
          && "\(error)".contains("readable is a byte-level BPE; use the model's GGUF file")
      }
    }
  }
}
