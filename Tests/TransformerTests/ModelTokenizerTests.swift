import Foundation
import TensorCore
import Testing

@testable import Transformer

/// What a model's files say about its tokenizer stops nothing before text is to be cut.
@Suite struct ModelTokenizerTests {
  private func gguf(_ add: (inout GGUFBuilder) -> Void) throws -> ModelTokenizer {
    var file = GGUFBuilder()
    add(&file)
    let folder = try TemporaryFolder()
    let path = folder.path + "/x.gguf"
    try Data(file.bytes).write(to: URL(fileURLWithPath: path))
    return ModelTokenizer(try GGUFFile(path), count: 3)
  }

  private func add(_ model: String, _ pre: String?, to file: inout GGUFBuilder) {
    file.add("tokenizer.ggml.model", model)
    if let pre { file.add("tokenizer.ggml.pre", pre) }
    file.add(
      "tokenizer.ggml.tokens", array: 8,
      ["a", "b", "Ġ", "ab", "<end>", "</w>"].map { GGUFBuilder.text($0.utf8) })
    file.add(
      "tokenizer.ggml.token_type", array: 5,
      [1, 1, 1, 1, 3, 0].map { GGUFBuilder.number(Int32($0)) })
    file.add("tokenizer.ggml.merges", array: 8, [GGUFBuilder.text("a b".utf8)])
  }

  @Test func namesOfTheWildAndNoneCutText() throws {
    for name in [
      "deepseek-r1-qwen", "llama-v3", "olmo", "phi-2", "default", "falcon", "tekken", "gpt-4o",
      "superbpe", "stablelm2", "dbrx", nil, "",
    ] {
      let model = try gguf { add("gpt2", name, to: &$0) }
      #expect(try model.tokenizer.encode("ab a") == [3, 2, 0], "\(name ?? "none")")
    }
  }

  @Test func anUnknownNameIsAnErrorWhenTextIsCut() throws {
    let model = try gguf { add("gpt2", "next-year", to: &$0) }
    #expect(model.tokenizer.decode([3, 2, 0, 4]) == "ab a<end>")
    #expect { try model.tokenizer.encode("a") } throws: { error in
      "\(error)".contains("/x.gguf: unknown pre-tokenizer \"next-year\"")
    }
    let other = try gguf { add("rwkv", nil, to: &$0) }
    #expect(other.tokenizer.decode([3]) == "ab")
    #expect { try other.tokenizer.encode("a") } throws: { error in
      "\(error)".contains("unknown tokenizer \"rwkv\" (tokenizer.ggml.model)")
    }
  }

  @Test(arguments: [nil, "none", "no_vocab"])
  func aFileWithoutTokenizerTakesIds(_ name: String?) throws {
    let model = try gguf { if let name { $0.add("tokenizer.ggml.model", name) } }
    #expect(model.tokenizer.vocabularySize == 3 && model.tokenizer.decode([2]) == "<2>")
    #expect((model.tokenizer as? NonEncodingTokenizer)?.knowsPieces == false)
    #expect { try model.tokenizer.encode("a") } throws: { error in
      "\(error)".contains("has no tokenizer (tokenizer.ggml.model) and takes token ids only")
    }
  }

  @Test func specialIdsThatAreNoTokensStopNothing() throws {
    let model = try gguf {
      add("gpt2", "gpt-2", to: &$0)
      for key in ["bos", "eos", "unknown", "padding"] {
        $0.add("tokenizer.ggml.\(key)_token_id", kind: 4, GGUFBuilder.number(UInt32(32_000)))
      }
    }
    #expect(try model.tokenizer.encode("ab") == [3])
    #expect(model.begin == BeginToken(isExpected: false, id: 32_000))
  }

  @Test func aKeyOfAnotherTypeIsSaidWhenTextIsCut() throws {
    let model = try gguf {
      add("gpt2", nil, to: &$0)
      $0.add("tokenizer.ggml.pre", kind: 4, GGUFBuilder.number(UInt32(7)))
    }
    #expect { try model.tokenizer.encode("ab") } throws: { error in
      "\(error)".contains("tokenizer.ggml.pre")
    }
  }

  private func folder(_ files: [String: String]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.copy(TokenizerFamily.path("spm_bpe.model"), to: "tokenizer.model")
    for (name, text) in files { try folder.write(text, to: name) }
    return folder
  }

  @Test func aFolderMayHaveTokenizerModelOnly() throws {
    let plain = try folder([:])
    let model = ModelTokenizer(folder: plain.path, count: 520)
    let own = try TokenizerFamily.tokenizer("spm_bpe")
    #expect(try model.tokenizer.encode("Hello, world") == own.encode("Hello, world"))
    #expect(model.begin == BeginToken(isExpected: true, id: 1))
    #expect(try model.tokenizer.encode("<s>", parsingSpecialTokens: true) == [1])
    let silent = try folder(["tokenizer_config.json": #"{"add_bos_token": false}"#])
    #expect(
      ModelTokenizer(folder: silent.path, count: 520).begin == BeginToken(isExpected: false, id: 1))
  }

  @Test func filesBesideTokenizerModelAddTokens() throws {
    let added = try folder([
      "tokenizer_config.json": """
      {"bos_token": "</s>", "added_tokens_decoder": {
        "520": {"content": "<|x|>", "special": true, "lstrip": true, "rstrip": true}}}
      """,
      "added_tokens.json": #"{"<|x|>": 520, "<|y|>": 521, "<|z|>": 522}"#,
      "special_tokens_map.json": #"{"additional_special_tokens": ["<|z|>"]}"#,
    ])
    let model = ModelTokenizer(folder: added.path, count: 523)
    let (a, b) = (try model.tokenizer.encode("a"), try model.tokenizer.encode("b"))
    #expect(try model.tokenizer.encode("a <|x|> b", parsingSpecialTokens: true) == a + [520] + b)
    #expect(try model.tokenizer.encode("a<|y|>b") == a + [521] + b)
    #expect(try model.tokenizer.encode("<|z|>", parsingSpecialTokens: true) == [522])
    #expect(try !model.tokenizer.encode("<|z|>").contains(522))
    #expect(model.tokenizer.decode([520, 521]) == "<|x|><|y|>")
    #expect(model.begin == BeginToken(isExpected: true, id: 2))
  }

  @Test(arguments: [
    ("version https://git-lfs.github.com/spec/v1\n", "this is a Git-LFS pointer"),
    ("\u{1}\u{2}", "this is no SentencePiece model"), ("", "the model has no pieces"),
  ]) func whatIsNoModelIsSaidWhenTextIsCut(content: String, problem: String) throws {
    let folder = try TemporaryFolder()
    try folder.write(content, to: "tokenizer.model")
    let model = ModelTokenizer(folder: folder.path, count: 3)
    #expect { try model.tokenizer.encode("a") } throws: { error in
      "\(error)".contains("/tokenizer.model: \(problem)")
    }
  }
}
