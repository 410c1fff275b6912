/// Qwen 2 and 2.5 (Yang et al. 2024): Llama with biases on queries, keys and values, whatever
/// `attention_bias` says.
extension Family {
  static let qwen2 = Family(
    name: "qwen2",
    block: .init(biases: .init(query: true)),
    huggingFace: HuggingFaceForm(
      modelTypes: ["qwen2"], layout: .llama,
      defaults: ["rms_norm_eps": 1e-6, "max_window_layers": 28, "sliding_window": 4096]
    ) { model, config in
      model.setWindows(try config.windowsFromLayer(model.architecture.layers))
    },
    gguf: GGUFForm(names: ["qwen2"], layout: .gguf))
}
