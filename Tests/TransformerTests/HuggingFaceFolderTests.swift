import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Folders that are complete in other ways than the usual one, and folders that are not.
@Suite struct HuggingFaceFolderTests {
  /// A copy of a tiny model with some keys of its configuration changed; nil removes a key.
  static func folder(
    _ tiny: TinyModel, _ changes: [String: JSONValue?] = [:], weights: Bool = true
  ) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    var pairs = try JSONReader(contentsOf: tiny.folder + "/config.json").entries()
      .map { (key: $0.0, value: $0.1.value) }
      .filter { changes[$0.key] == nil }
    for (key, value) in changes { if let value { pairs.append((key, value)) } }
    try folder.write(JSONValue.object(pairs).text, to: "config.json")
    if weights { try folder.copy(tiny.folder + "/model.safetensors", to: "model.safetensors") }
    return folder
  }

  /// The one-line message that opening the folder is answered with.
  static func complaint(_ folder: TemporaryFolder) throws -> String {
    do {
      _ = try LanguageModel(path: folder.path)
    } catch let error as UserError {
      #expect(!error.description.contains("\n"))
      #expect(error.remedy != nil && error.description.contains(folder.path))
      return error.description
    }
    Issue.record("the folder was accepted")
    return ""
  }

  @Test(
    arguments: [
      (
        ["model_type": "bloom"],
        "unknown model_type \"bloom\"; known are: llama, mistral, ministral, qwen2"
      ),
      (["model_type": nil], "the key \"model_type\" is missing"),
      (["num_hidden_layers": nil], "the key \"num_hidden_layers\" (or \"n_layer\") is missing"),
      (["rms_norm_eps": .null], "the key \"rms_norm_eps\" is missing"),
      (["hidden_size": "48"], "hidden_size: found a text where a whole number belongs"),
      (["num_hidden_layers": 1_000_000_000], "found 1000000000, allowed is 1 to"),
      (["num_key_value_heads": 4], "6 heads do not share 4 key-value heads"),
      (["hidden_act": "relu"], "hidden_act is \"relu\", which is not supported"),
      (
        ["rope_parameters": ["rope_type": "spiral"]],
        "rope_type is \"spiral\", which is not supported"
      ),
      (["rope_parameters": ["factor": 4]], "a rope scaling has a factor but no rope_type"),
      (
        ["rope_parameters": ["rope_type": "linear", "type": "yarn", "factor": 4]],
        "rope_type and type contradict each other: linear, yarn"
      ),
      (["rope_parameters": ["rope_type": "linear"]], "the key \"factor\" is missing"),
      (["n_embd": 47], "hidden_size and n_embd contradict each other"),
      (["num_hidden_layers": 4], "has no tensor \"model.layers.3.input_layernorm.weight\""),
      (["attention_bias": true], "has no tensor \"model.layers.0.self_attn.q_proj.bias\""),
      (
        ["intermediate_size": 96],
        "model.layers.0.mlp.gate_proj.weight is 80 × 48, the architecture needs 96 × 48"
      ),
      (["vocab_size": 301], "embed_tokens.weight is 300 × 48, the architecture needs 301 × 48"),
    ] as [([String: JSONValue?], String)])
  func wrongConfigurationIsNamed(changes: [String: JSONValue?], message: String) throws {
    let complaint = try Self.complaint(Self.folder(.llama, changes))
    #expect(complaint.contains(message), "\(complaint)")
  }

  @Test func missingFilesAreNamed() throws {
    #expect(try Self.complaint(TemporaryFolder()).contains("/config.json: cannot be read"))
    #expect(
      try Self.complaint(Self.folder(.llama, weights: false))
        .contains("has neither model.safetensors nor model.safetensors.index.json"))
    let folder = try Self.folder(.llama, weights: false)
    try folder.write(
      #"{"weight_map": {"model.norm.weight": "model-1.safetensors"}}"#,
      to: "model.safetensors.index.json")
    #expect(
      try Self.complaint(folder).contains(
        "model-1.safetensors, a part of the weights that the index lists, is missing"))
    try folder.write(
      #"{"weight_map": {"model.norm.weight": "../x"}}"#, to: "model.safetensors.index.json")
    #expect(try Self.complaint(folder).contains("\"../x\" is not a file of this folder"))
    #expect(throws: UserError.self) { try LanguageModel(path: "/no/such/model") }
  }

  @Test func weightsMayLieInSeveralFilesAndWithoutTheirPrefix() throws {
    let folder = try Self.folder(.gpt2, weights: false)
    let whole = try SafetensorsFile(TinyModel.gpt2.folder + "/model.safetensors")
    var map: [(key: String, value: JSONValue)] = []
    for number in 0..<2 {
      let names = whole.names.enumerated().filter { $0.offset % 2 == number }.map(\.element)
      let file = "model-\(number).safetensors"
      try Safetensors.write(
        names.map { name in
          let short = String(name.dropFirst("transformer.".count))
          map.append((short, .string(file)))
          return (short, try whole.shape(of: name), try whole.floats(name))
        }, to: "\(folder.path)/\(file)")
    }
    try folder.write(
      JSONValue.object([("weight_map", .object(map))]).text, to: "model.safetensors.index.json")
    let model = try LanguageModel(path: folder.path)
    let result = try Engine(model: model, threads: 1).forward(
      .everything(try TinyModel.gpt2.tokens(), layers: model.architecture.layers))
    #expect(
      largestDifference(
        result.logits.flatMap(\.logits), try TinyModel.gpt2.golden().floats("logits")) < 2e-4)
  }

  @Test func modelWithoutTokenizerHasNumbersForPieces() throws {
    let tokenizer = try TinyModel.llama.load().tokenizer
    #expect(tokenizer.vocabularySize == 300)
    #expect(throws: UserError.self) { try tokenizer.encode("text") }
    #expect(tokenizer.decode([17, 299, 300]) == "<17><299>")
  }
}
