/// Mistral 7B and Nemo (Jiang et al. 2023): Llama with a window on every block, or none.
extension Family {
  static let mistral = Family(
    name: "mistral",
    huggingFace: HuggingFaceForm(
      modelTypes: ["mistral"], layout: .llama,
      defaults: ["rms_norm_eps": 1e-6, "num_key_value_heads": 8, "sliding_window": 4096]
    ) { model, config in
      let window = try config.sizeIfThere("sliding_window")
      model.eachBlock { $0.window = window }
    })
}
