/// OLMo 3 (OLMo Team 2025): OLMo 2 with three blocks with a window to one without.
extension Family {
  static let olmo3 = Family(
    name: "olmo3",
    block: olmo2.block,
    huggingFace: HuggingFaceForm(
      modelTypes: ["olmo3"], layout: .olmo2,
      defaults: ["rms_norm_eps": 1e-5, "sliding_window": 4096, "rope_theta": 500_000]
    ) { model, config in
      try model.setBiases(config)
      if let windows = try config.windowsByType(model.architecture.layers) {
        model.setWindows(windows)
      } else {
        model.setWindows(try config.size("sliding_window"), fullEvery: 4)
      }
      try model.setRotaryByType(config, windowed: 500_000)
    })
}
