import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Folders whose weights are quantised, as the tools that made them leave them.
struct QuantisedWeightsTests {
  static func config(_ text: String) throws -> HuggingFaceConfig {
    try HuggingFaceConfig(
      JSONReader(JSONValue(parsing: Data(text.utf8), place: "config.json"), place: "config.json"))
  }

  @Test(arguments: [
    (#"{"quantization_config": {"bits": 4, "quant_method": "gptq"}}"#, "GPTQ"),
    (#"{"quantization_config": {"quant_method": "awq", "version": "gemm"}}"#, "AWQ"),
    (
      #"{"quantization_config": {"load_in_4bit": true, "quant_method": "bitsandbytes"}}"#,
      "bitsandbytes"
    ),
    (#"{"quantization_config": {"quant_method": "fp8", "fmt": "e4m3"}}"#, "FP8"),
    (#"{"quantization_config": {"quant_method": "compressed-tensors"}}"#, "compressed-tensors"),
    (#"{"quantization_config": {"quant_method": "mxfp4"}}"#, "MXFP4"),
    (#"{"quantization_config": {"quant_method": "torchao"}}"#, "torchao"),
    (#"{"quantization_config": {"bits": 4}}"#, "quantization_config without quant_method"),
    (#"{"quantization_config": "int4"}"#, "quantization_config is a text"),
    (#"{"quantization": {"group_size": 64, "bits": 4, "mode": "affine"}}"#, "MLX"),
    (#"{"text_config": {"quantization_config": {"quant_method": "gptq"}}}"#, "GPTQ"),
    (#"{"quantization_config": null}"#, nil), (#"{"quantization_config": {}}"#, nil), ("{}", nil),
  ])
  func configurationsNameTheirMethod(text: String, method: String?) throws {
    #expect(
      QuantisedWeights.method(of: try Self.config(text), names: ["model.norm.weight"]) == method)
  }

  @Test(arguments: [
    ("qweight", "GPTQ or AWQ"), ("qzeros", "GPTQ or AWQ"), ("g_idx", "GPTQ"),
    ("weight.absmax", "bitsandbytes"), ("weight.quant_map", "bitsandbytes"),
    ("weight_scale_inv", "FP8"), ("weight_scale", "FP8 or another"), ("scales", "a method"),
    ("weight_packed", "compressed-tensors"),
  ])
  func namesOfTensorsGiveItAway(ending: String, method: String) {
    let name = "model.layers.0.self_attn.q_proj.\(ending)"
    let found = QuantisedWeights.method(of: nil, names: ["model.norm.weight", name])
    #expect(found?.hasPrefix(method) == true && found?.hasSuffix("tensor \"\(name)\"") == true)
  }

  @Test func plainFoldersAreNone() throws {
    for tiny in TinyModel.allCases {
      let names = try SafetensorsFile(tiny.folder + "/model.safetensors").names
      let config = try HuggingFaceConfig(contentsOf: tiny.folder + "/config.json")
      #expect(QuantisedWeights.method(of: config, names: names) == nil)
      try MixtureOfExperts.refuse(config, names: names, at: tiny.folder)
    }
  }

  @Test func modelsAreRefusedInOneLine() throws {
    let folder = try HuggingFaceFolderTests.folder(
      .llama, ["quantization_config": ["quant_method": "gptq", "bits": 4]])
    #expect(
      try HuggingFaceFolderTests.complaint(folder)
        == "\(folder.path): the weights are quantised (GPTQ), which is not read here; "
        + "use the model's unquantised files, or a GGUF file")
  }
}
