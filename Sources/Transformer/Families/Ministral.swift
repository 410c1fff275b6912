/// Ministral 8B: Mistral with windows on some blocks.
extension Family {
  static let ministral = Family(
    name: "ministral",
    huggingFace: HuggingFaceForm(
      modelTypes: ["ministral"], layout: .llama,
      defaults: ["rms_norm_eps": 1e-6, "num_key_value_heads": 8, "sliding_window": 4096]
    ) { model, config in
      let window = try config.sizeIfThere("sliding_window")
      let layers = model.architecture.layers
      model.setWindows(
        try config.windowsByType(layers) ?? Array(repeating: window, count: layers))
    })
}
