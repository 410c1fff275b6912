import TensorCore

/// Folders whose weights are quantised in ways of their own, none of which is read here; GGUF's types
/// are another matter.
enum QuantisedWeights {
  /// The method's name, or nil where weights are plain numbers.
  ///
  /// - Parameters:
  ///   - config: the model's `config.json`; its `quantization_config` counts even where the weights
  ///     are plain numbers, since transformers then quantises them as it loads them.
  ///   - names: of the tensors.
  static func method(of config: HuggingFaceConfig?, names: some Sequence<String>) -> String? {
    config.flatMap(stated) ?? evident(names)
  }

  /// - Throws: `UserError` naming the method.
  static func refuse(
    _ config: HuggingFaceConfig?, names: some Sequence<String>, at path: String
  ) throws {
    guard let method = method(of: config, names: names) else { return }
    throw UserError(
      "the weights are quantised (\(method)), which is not read here", at: path,
      remedy: "use the model's unquantised files, or a GGUF file")
  }

  private static func stated(_ config: HuggingFaceConfig) -> String? {
    for key in ["quantization_config", "compression_config", "quantization"] {
      guard let reader = config.entries[key] else { continue }
      // Of an odd shape, it is no less a sign; an empty one says nothing.
      guard let fields = try? reader.entries() else { return "\(key) is \(reader.value.kind)" }
      guard !fields.isEmpty else { continue }
      // MLX's key; its "mode" is no method's name.
      if key == "quantization" { return "MLX" }
      let methods = ["quant_method", "quant_type"].compactMap { name in
        fields.first(where: { $0.0 == name }).flatMap { try? $0.1.string() }
      }
      if let method = methods.first { return names[method.lowercased()] ?? method }
      return "\(key) without quant_method"
    }
    for nested in ["text_config", "llm_config"] {
      if let inner = try? config.object(nested), let method = stated(inner) { return method }
    }
    return nil
  }

  private static func evident(_ tensors: some Sequence<String>) -> String? {
    for tensor in tensors {
      if let sign = signs.first(where: { tensor.hasSuffix($0.ending) }) {
        return "\(sign.method), tensor \"\(tensor)\""
      }
    }
    return nil
  }

  /// As their makers write them.
  private static let names = [
    "gptq": "GPTQ", "awq": "AWQ", "bitsandbytes": "bitsandbytes", "fp8": "FP8", "hqq": "HQQ",
    "fbgemm_fp8": "FBGEMM FP8", "mxfp4": "MXFP4", "aqlm": "AQLM", "eetq": "EETQ",
    "bitnet": "BitNet",
  ]

  private static let signs: [(ending: String, method: String)] = [
    (".qweight", "GPTQ or AWQ"), (".qzeros", "GPTQ or AWQ"), (".g_idx", "GPTQ"),
    (".absmax", "bitsandbytes"), (".quant_map", "bitsandbytes"), (".SCB", "bitsandbytes"),
    (".quant_state.bitsandbytes__nf4", "bitsandbytes"),
    (".quant_state.bitsandbytes__fp4", "bitsandbytes"), (".weight_scale_inv", "FP8"),
    (".weight_scale", "FP8 or another method with scales"),
    (".input_scale", "FP8 or another method with scales"),
    (".weight_packed", "compressed-tensors"), ("_proj_blocks", "MXFP4"),
    ("_proj_scales", "MXFP4"), (".scales", "a method with scales"),
  ]
}
