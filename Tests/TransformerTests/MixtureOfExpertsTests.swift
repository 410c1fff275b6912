import Foundation
import TensorCore
import Testing

@testable import Transformer

struct MixtureOfExpertsTests {
  @Test(arguments: [
    (#"{"model_type": "mixtral", "num_local_experts": 8}"#, "num_local_experts is 8"),
    (#"{"model_type": "mixtral"}"#, "model_type \"mixtral\""),
    (#"{"model_type": "qwen2_moe"}"#, "model_type \"qwen2_moe\""),
    (#"{"model_type": "olmoe"}"#, "model_type \"olmoe\""),
    (#"{"model_type": "llama", "num_experts": 60}"#, "num_experts is 60"),
    (#"{"model_type": "deepseek_v3", "n_routed_experts": 256}"#, "n_routed_experts is 256"),
    (#"{"model_type": "x", "moe_num_experts": [0, 64]}"#, "moe_num_experts is 64"),
    (#"{"model_type": "x", "text_config": {"num_experts": 4}}"#, "num_experts is 4"),
  ])
  func configurations(text: String, sign: String) throws {
    let config = try QuantisedWeightsTests.config(text)
    let error = #expect(throws: UserError.self) { try MixtureOfExperts.refuse(config, at: "f") }
    #expect(error?.problem == "is a mixture of experts (\(sign)), which is not supported")
  }

  @Test func noExpertsAreNoMixture() throws {
    for text in [
      #"{"model_type": "llama"}"#, #"{"model_type": "llama", "num_local_experts": 0}"#,
      #"{"model_type": "granitemoehybrid", "num_local_experts": 0}"#,
      #"{"model_type": "llama", "n_routed_experts": null}"#,
    ] {
      try MixtureOfExperts.refuse(QuantisedWeightsTests.config(text), at: "f")
    }
  }

  @Test(arguments: [
    "model.layers.0.block_sparse_moe.experts.0.w1.weight",
    "model.layers.1.mlp.experts.gate_up_proj", "model.layers.1.mlp.experts.3.up_proj.weight",
  ])
  func namesOfTensorsGiveItAway(name: String) throws {
    let config = try QuantisedWeightsTests.config(#"{"model_type": "llama"}"#)
    let error = #expect(throws: UserError.self) {
      try MixtureOfExperts.refuse(config, names: ["model.norm.weight", name], at: "f")
    }
    #expect(error?.problem.contains("tensor \"\(name)\"") == true)
  }

  @Test func ggufFiles() throws {
    let folder = try TemporaryFolder()
    func problem(_ change: (inout GGUFBuilder) -> Void) throws -> String? {
      var builder = GGUFBuilder.small()
      change(&builder)
      let file = try GGUFMetadataTests.file(builder, in: folder)
      do {
        try MixtureOfExperts.refuse(file)
        return nil
      } catch let error as UserError {
        let whole = #expect(throws: UserError.self) { try LanguageModel(gguf: file.path) }
        #expect(whole == error)
        return error.problem
      }
    }
    #expect(try problem { _ in } == nil)
    #expect(
      try problem { $0.add("llama.expert_count", kind: 4, GGUFBuilder.number(0 as UInt32)) } == nil)
    #expect(
      try problem { $0.add("llama.expert_count", kind: 4, GGUFBuilder.number(8 as UInt32)) }
        == "is a mixture of experts (llama.expert_count is 8), which is not supported")
    #expect(
      try problem {
        $0.addTensor("blk.0.ffn_gate_inp.weight", shape: [1], type: 0, bytes: [0, 0, 0, 0])
      }
        == "is a mixture of experts (tensor \"blk.0.ffn_gate_inp.weight\"), which is not supported")
  }
}
