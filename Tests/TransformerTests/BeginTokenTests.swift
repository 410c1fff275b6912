import Foundation
import TensorCore
import Testing

@testable import Transformer

@Suite struct BeginTokenTests {
  /// The begin token of a GGUF file with these tokenizer keys; `true` and `false` by llama.cpp's
  /// llama-vocab.cpp, read in its source.
  private func begin(
    model: String, pre: String? = nil, add: Bool? = nil, id: UInt32? = nil,
    kinds: [Int32] = [2, 3, 3, 1]
  ) throws -> BeginToken {
    var file = GGUFBuilder()
    file.add("tokenizer.ggml.model", model)
    file.add(
      "tokenizer.ggml.tokens", array: 8,
      ["<unk>", "<s>", "</s>", "a"].map { GGUFBuilder.text($0.utf8) })
    file.add("tokenizer.ggml.token_type", array: 5, kinds.map { GGUFBuilder.number($0) })
    if let pre { file.add("tokenizer.ggml.pre", pre) }
    if let add { file.add("tokenizer.ggml.add_bos_token", kind: 7, [add ? 1 : 0]) }
    if let id { file.add("tokenizer.ggml.bos_token_id", kind: 4, GGUFBuilder.number(id)) }
    let folder = try TemporaryFolder()
    let path = folder.path + "/x.gguf"
    try Data(file.bytes).write(to: URL(fileURLWithPath: path))
    return try GGUFFile(path).tokenizerVocabulary().begin
  }

  @Test func ggufSaysItOrItsKindDoes() throws {
    #expect(try begin(model: "llama", add: true, id: 1) == BeginToken(isExpected: true, id: 1))
    #expect(try begin(model: "llama", add: false, id: 1) == BeginToken(isExpected: false, id: 1))
    #expect(try begin(model: "llama", id: 2) == BeginToken(isExpected: true, id: 2))
    #expect(try begin(model: "llama") == BeginToken(isExpected: true, id: 1))
    #expect(try begin(model: "llama", kinds: [2, 1, 1, 1]) == .none)
    #expect(try begin(model: "gpt2", pre: "gpt-2", id: 1).isExpected == false)
    #expect(try begin(model: "gpt2", pre: "qwen2", id: 1).isExpected == false)
    #expect(try begin(model: "gpt2", pre: "smollm", add: true, id: 1).isExpected)
    for pre in ["llama-bpe", "llama3", "llama-v3", "tekken"] {
      #expect(try begin(model: "gpt2", pre: pre, id: 1).isExpected)
      #expect(try begin(model: "gpt2", pre: pre, add: false, id: 1).isExpected == false)
    }
    #expect(try begin(model: "gpt2", add: true) == BeginToken(isExpected: true, id: nil))
    // An id that does not fit is no error before it is needed.
    #expect(try begin(model: "gpt2", add: false, id: 9) == BeginToken(isExpected: false, id: 9))
  }

  static let template = """
    {"type": "TemplateProcessing", "pair": [],
     "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}}],
     "special_tokens": {"<s>": {"id": "<s>", "ids": [7], "tokens": ["<s>"]}}}
    """
  static let byteLevel = #"{"type": "ByteLevel", "add_prefix_space": true}"#
  static let ending = """
    {"type": "TemplateProcessing", "pair": [],
     "single": [{"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "<s>", "type_id": 0}}],
     "special_tokens": {"<s>": {"id": "<s>", "ids": [7], "tokens": ["<s>"]}}}
    """

  /// A folder with a tiny model, whose vocabulary has the single letters a to g and `<s>`.
  static func folder(processor: String, config: String?) throws -> TemporaryFolder {
    let folder = try HuggingFaceFolderTests.folder(.llama)
    let letters = "abcdefg".enumerated().map { "\"\($0.element)\": \($0.offset)" }
    try folder.write(
      """
      {"added_tokens": [{"id": 7, "content": "<s>", "special": true}], "normalizer": null,
       "pre_tokenizer": \(byteLevel.replacing("true", with: "false")), "post_processor": \(processor),
       "model": {"type": "BPE", "vocab": {\(letters.joined(separator: ", "))}, "merges": []}}
      """, to: "tokenizer.json")
    if let config { try folder.write(config, to: "tokenizer_config.json") }
    return folder
  }

  /// What transformers 5.24 puts before "abc" (`AutoTokenizer`, the same files), but for the last
  /// two: with a `tokenizer.json` it drops `add_bos_token` even where nothing contradicts it.
  @Test(arguments: [
    (template, "", true), (template, #""add_bos_token": true"#, true),
    (template, #""add_bos_token": false"#, true),
    (#"{"type": "Sequence", "processors": [\#(byteLevel), \#(template)]}"#, "", true),
    (byteLevel, "", false), (byteLevel, #""add_bos_token": true"#, false),
    (ending, #""add_bos_token": true"#, false), ("null", "", false),
    ("null", #""add_bos_token": false"#, false), ("null", #""add_bos_token": true"#, true),
  ]) func foldersSayIt(processor: String, flag: String, expected: Bool) throws {
    let comma = flag.isEmpty ? "" : ", "
    for name in [#""<s>""#, #"{"content": "<s>", "lstrip": false}"#] {
      let folder = try Self.folder(
        processor: processor, config: "{\"bos_token\": \(name)\(comma)\(flag)}")
      let model = try LanguageModel(path: folder.path)
      #expect(model.beginToken == BeginToken(isExpected: expected, id: 7))
      #expect(try BeginTokenChoice.auto.token(for: model) == (expected ? 7 : nil))
      #expect(try BeginTokenChoice.yes.token(for: model) == 7)
      #expect(try BeginTokenChoice.no.token(for: model) == nil)
    }
  }

  @Test func foldersWithoutAConfiguration() throws {
    let first = try Self.folder(processor: Self.template, config: nil)
    let begun = try LanguageModel(path: first.path)
    #expect(begun.beginToken == BeginToken(isExpected: true, id: 7))
    let second = try Self.folder(processor: "null", config: nil)
    let plain = try LanguageModel(path: second.path)
    #expect(plain.beginToken == .none)
    #expect(try TinyModel.llama.load().beginToken == .none)
  }

  @Test func aMissingTokenIsAnErrorOnlyWhereItIsNeeded() throws {
    func complaint(_ choice: BeginTokenChoice, _ folder: TemporaryFolder) throws -> String {
      let model = try LanguageModel(path: folder.path)
      #expect(try BeginTokenChoice.no.token(for: model) == nil)
      do {
        _ = try choice.token(for: model)
        return ""
      } catch {
        #expect("\(error)".contains(folder.path) && "\(error)".contains("--bos no"))
        return "\(error)"
      }
    }
    let unnamed = try Self.folder(processor: "null", config: nil)
    #expect(try complaint(.auto, unnamed).isEmpty)
    #expect(try complaint(.yes, unnamed).contains("names none"))
    let unknown = try Self.folder(
      processor: "null", config: #"{"add_bos_token": true, "bos_token": "<x>"}"#)
    #expect(try complaint(.auto, unknown).contains("names none that its vocabulary has"))
    let outside = try Self.folder(
      processor: Self.template.replacing("[7]", with: "[8]"), config: nil)
    #expect(try complaint(.auto, outside).contains("it is 8 and there are 8 tokens"))
  }

  @Test func itIsThereOnce() throws {
    let folder = try Self.folder(processor: Self.template, config: nil)
    let tokenizer = try LanguageModel(path: folder.path).tokenizer
    #expect(try tokenizer.encode("ab", parsingSpecialTokens: true, begin: 7) == [7, 0, 1])
    #expect(try tokenizer.encode("<s>ab", parsingSpecialTokens: true, begin: 7) == [7, 0, 1])
    #expect(try tokenizer.encode("ab", parsingSpecialTokens: true, begin: nil) == [0, 1])
    #expect(try tokenizer.encode("", parsingSpecialTokens: false, begin: 7) == [7])
  }
}
