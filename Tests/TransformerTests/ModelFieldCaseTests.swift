import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Files that contradict themselves or leave something open, as people have met them.
@Suite struct ModelFieldCaseTests {
  private static func logits(_ model: LanguageModel, _ tokens: [Int]) throws -> [Float] {
    try Engine(model: model, threads: 1).forward(
      ForwardRequest(
        tokens: tokens, logits: LogitRequest(positions: Array(tokens.indices), tokens: .all))
    ).allLogits
  }

  /// A folder like a tiny model's, with its weights changed.
  private static func folder(
    _ tiny: TinyModel, _ changes: [String: JSONValue?] = [:],
    weights change: (inout [String: (shape: [Int], values: [Float])]) -> Void
  ) throws -> TemporaryFolder {
    let folder = try HuggingFaceFolderTests.folder(tiny, changes, weights: false)
    let file = try SafetensorsFile(tiny.folder + "/model.safetensors")
    var tensors: [String: (shape: [Int], values: [Float])] = [:]
    for name in file.names {
      tensors[name] = (try file.shape(of: name), try file.floats(name))
    }
    change(&tensors)
    try Safetensors.write(
      tensors.sorted { $0.key < $1.key }.map { ($0.key, $0.value.shape, $0.value.values) },
      to: folder.path + "/model.safetensors")
    return folder
  }

  @Test func aHeadThatDiffersFromTheTiedEmbeddingIsUsedAndSaid() throws {
    let tiny = TinyModel.qwen3
    let embedding = try tiny.load().weights.embedding
    let folder = try Self.folder(tiny) {
      $0["lm_head.weight"] = (
        [embedding.rows, embedding.columns], embedding.floats().map { -2 * $0 }
      )
    }
    let model = try LanguageModel(path: folder.path)
    let expected = try tiny.golden().floats("logits").map { -2 * $0 }
    #expect(largestDifference(try Self.logits(model, tiny.tokens()), expected) < 4e-4)
    #expect(model.notes.contains { $0.contains("lm_head.weight differs from the embedding") })
    #expect(model.unusedTensors.isEmpty)
    let same = try Self.folder(tiny) {
      $0["lm_head.weight"] = ([embedding.rows, embedding.columns], embedding.floats())
    }
    #expect(try LanguageModel(path: same.path).notes.isEmpty)
  }

  @Test(arguments: [nil, true, false] as [Bool?])
  func qwen2HasItsBiasesWhateverTheKeySays(key: Bool?) throws {
    let tiny = TinyModel(name: "qwen2")
    let value: JSONValue? = key.map { .bool($0) }
    let folder = try HuggingFaceFolderTests.folder(tiny, ["attention_bias": value])
    let logits = try Self.logits(LanguageModel(path: folder.path), tiny.tokens())
    #expect(largestDifference(logits, try tiny.golden().floats("logits")) < 2e-4)
  }

  @Test func biasesThatTheConfigurationDeniesAreNamed() throws {
    let tiny = TinyModel.llama
    let folder = try Self.folder(tiny) {
      for layer in 0..<3 {
        $0["model.layers.\(layer).self_attn.q_proj.bias"] = ([48], Array(repeating: 1, count: 48))
      }
      $0["model.layers.0.self_attn.rotary_emb.inv_freq"] = ([4], [1, 1, 1, 1])
    }
    let model = try LanguageModel(path: folder.path)
    #expect(model.unusedTensors.count == 3)
    #expect(
      model.unusedSummary
        == "3 tensors are not used: model.layers.*.self_attn.q_proj.bias (3)")
    #expect(
      largestDifference(
        try Self.logits(model, tiny.tokens()), try tiny.golden().floats("logits")) < 2e-4)
  }

  @Test func ropeScalingCountsBesideRopeParameters() throws {
    let tiny = TinyModel(name: "llama_linear")
    let folder = try HuggingFaceFolderTests.folder(
      tiny,
      [
        "rope_scaling": ["type": "linear", "factor": 4],
        "rope_parameters": ["rope_type": "default", "rope_theta": 500],
      ])
    let model = try LanguageModel(path: folder.path)
    #expect(model.architecture.blocks[0].rotary?.scaling == .linear(factor: 4))
    // What is inside the other object is lost with it.
    #expect(model.architecture.blocks[0].rotary?.base == 10_000)
    #expect(model.notes.contains { $0.contains("rope_scaling and rope_parameters differ") })
  }

  @Test(arguments: ["su", "yarn"]) func longRopeGoesByItsFirstNames(name: String) throws {
    let tiny = TinyModel(name: "phi3_longrope")
    let rope = try JSONReader(contentsOf: tiny.folder + "/config.json").at("rope_parameters")
    let renamed = try rope.entries().map { key, reader in
      (key: key, value: key == "rope_type" ? JSONValue.string(name) : reader.value)
    }
    let folder = try HuggingFaceFolderTests.folder(tiny, ["rope_parameters": .object(renamed)])
    #expect(
      try LanguageModel(path: folder.path).architecture == (try tiny.load().architecture))
  }

  @Test func aRotatedShareThatTheFamilyDoesNotKnowIsIgnoredAndSaid() throws {
    let folder = try HuggingFaceFolderTests.folder(.llama, ["partial_rotary_factor": 0.5])
    let model = try LanguageModel(path: folder.path)
    #expect(model.architecture.blocks[0].rotary?.dimensions == 8)
    #expect(model.notes.contains { $0.contains("partial_rotary_factor is 0.5") })
  }

  @Test(arguments: ["_orig_mod.", "module.", "language_model."])
  func aPrefixRoundAllNamesIsReadAndSaid(prefix: String) throws {
    let tiny = TinyModel.llama
    let folder = try Self.folder(tiny) { tensors in
      tensors = Dictionary(
        uniqueKeysWithValues: tensors.map { (prefix + $0.key, $0.value) })
    }
    let model = try LanguageModel(path: folder.path)
    #expect(
      largestDifference(
        try Self.logits(model, tiny.tokens()), try tiny.golden().floats("logits")) < 2e-4)
    #expect(model.notes == ["the tensors' names begin with \(prefix)model. instead of model."])
    #expect(model.unusedTensors.isEmpty)
  }

  @Test func windowsThatAreSwitchedOffAreNone() throws {
    let tiny = TinyModel(name: "qwen2")
    func windows(_ changes: [String: JSONValue?]) throws -> [Int?] {
      let folder = try HuggingFaceFolderTests.folder(tiny, changes)
      return try LanguageModel(path: folder.path).architecture.blocks.map(\.window)
    }
    let off = try windows(["use_sliding_window": false, "layer_types": nil])
    #expect(off.allSatisfy { $0 == nil })
    let null = try windows(["sliding_window": .null, "layer_types": nil])
    #expect(null.allSatisfy { $0 == nil })
    #expect(try windows([:]).contains { $0 == 5 })
    let folder = try HuggingFaceFolderTests.folder(tiny, ["use_sliding_window": false])
    #expect(
      try HuggingFaceFolderTests.complaint(folder).contains(
        "layer_types has sliding_attention, but use_sliding_window is not true"))
  }

  // MARK: - GGUF

  /// The tiny model's GGUF file with some keys in place of its own.
  private static func gguf(
    _ tiny: TinyModel, in folder: TemporaryFolder, _ change: (inout GGUFBuilder) -> Void,
    without keys: Set<String> = []
  ) throws -> String {
    let file = try GGUFFile(tiny.folder + "/model.gguf")
    var builder = GGUFBuilder()
    for (key, value) in file.metadata where !keys.contains(key) {
      switch value {
      case .unsigned(let number): builder.add(key, kind: 10, GGUFBuilder.number(number))
      case .signed(let number): builder.add(key, kind: 11, GGUFBuilder.number(number))
      case .float(let number):
        builder.add(key, kind: 6, GGUFBuilder.number(Float(number).bitPattern))
      case .bool(let flag): builder.add(key, kind: 7, [flag ? 1 : 0])
      case .string(let text): builder.add(key, text)
      case .array, .bytes: continue
      }
    }
    change(&builder)
    for name in file.names {
      builder.addTensor(
        name, shape: try file.entry(name).shape.map { UInt64($0) }, type: 0,
        bytes: try file.vector(name).flatMap { GGUFBuilder.number($0.bitPattern) })
    }
    let path = folder.path + "/changed.gguf"
    try Data(builder.bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func aBaseThatIsATextIsAnError() throws {
    let folder = try TemporaryFolder()
    let path = try Self.gguf(
      TinyModel(name: "llama_linear"), in: folder, { $0.add("llama.rope.freq_base", "500000.0") },
      without: ["llama.rope.freq_base"])
    #expect {
      try LanguageModel(path: path)
    } throws: { error in
      "\(error)".contains("llama.rope.freq_base") && "\(error)".contains("the text")
        && "\(error)".contains("number")
    }
  }

  @Test func aFactorWithoutATypeIsLinear() throws {
    let folder = try TemporaryFolder()
    let tiny = TinyModel(name: "llama_linear")
    let path = try Self.gguf(tiny, in: folder, { _ in }, without: ["llama.rope.scaling.type"])
    let logits = try Self.logits(LanguageModel(path: path), tiny.tokens())
    #expect(largestDifference(logits, try tiny.golden().floats("logits")) < 2e-4)
  }

  @Test func aWindowThatLlamaCppLeavesOutIsSaid() throws {
    let folder = try TemporaryFolder()
    let path = try Self.gguf(TinyModel(name: "mistral"), in: folder) {
      $0.add("llama.attention.sliding_window", kind: 4, GGUFBuilder.number(5 as UInt32))
    }
    let model = try LanguageModel(path: path)
    #expect(model.architecture.blocks.allSatisfy { $0.window == nil })
    #expect(model.notes.contains { $0.contains("llama.attention.sliding_window is 5") })
  }

  @Test func mixturesOfExpertsAreNamed() throws {
    let folder = try TemporaryFolder()
    let path = try Self.gguf(TinyModel(name: "llama_linear"), in: folder) {
      $0.add("llama.expert_count", kind: 4, GGUFBuilder.number(8 as UInt32))
    }
    #expect {
      try LanguageModel(path: path)
    } throws: { "\($0)".contains("is a mixture of experts (llama.expert_count is 8)") }
  }

  @Test func aTensorThatNobodyReadsIsNamed() throws {
    let folder = try TemporaryFolder()
    let path = try Self.gguf(TinyModel(name: "llama_linear"), in: folder) {
      $0.addTensor(
        "blk.0.attn_rot_embd.weight", shape: [4], type: 0, bytes: [UInt8](repeating: 0, count: 16))
    }
    #expect(try LanguageModel(path: path).unusedTensors == ["blk.0.attn_rot_embd.weight"])
  }

  // MARK: - At load

  @Test func aTensorThatIsNotFiniteIsNamed() throws {
    for (value, message) in [
      (Float.nan, "the tensor model.layers.1.mlp.up_proj.weight holds nan"),
      (Float.infinity, "the tensor model.layers.1.mlp.up_proj.weight holds inf"),
    ] {
      let folder = try Self.folder(.llama) {
        $0["model.layers.1.mlp.up_proj.weight"]?.values[17] = value
      }
      let engine = Engine(model: try LanguageModel(path: folder.path), threads: 1)
      #expect { try engine.checkModel() } throws: { "\($0)".contains(message) }
    }
    let zeros = try Self.folder(.llama) {
      let count = $0["lm_head.weight"]?.values.count ?? 0
      $0["lm_head.weight"]?.values = Array(repeating: 0, count: count)
    }
    let engine = Engine(model: try LanguageModel(path: zeros.path), threads: 1)
    #expect {
      try engine.checkModel()
    } throws: { "\($0)".contains("the tensor lm_head.weight holds nothing but zeros") }
  }

  @Test(arguments: TinyModel.allCases)
  func everyTinyModelPassesItsCheck(tiny: TinyModel) throws {
    try Engine(model: try tiny.load(), threads: 1).checkModel()
  }
}
