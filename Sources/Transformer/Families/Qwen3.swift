/// Qwen 3 (Yang et al. 2025): each head's queries and keys are normalised.
extension Family {
  static let qwen3 = Family(
    name: "qwen3",
    block: .init(headNorm: .init(.rootMeanSquare, over: .head)),
    huggingFace: HuggingFaceForm(
      modelTypes: ["qwen3"], layout: .llama,
      defaults: [
        "rms_norm_eps": 1e-6, "head_dim": 128, "max_window_layers": 28, "sliding_window": 4096,
      ]
    ) { model, config in
      try model.setBiases(config)
      model.setWindows(try config.windowsFromLayer(model.architecture.layers))
    },
    gguf: GGUFForm(names: ["qwen3"], layout: .gguf))
}
