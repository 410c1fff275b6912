/// Gemma 3 (Gemma Team 2025), its text model: Gemma 2 with normalised heads instead of a cap of the
/// scores, five blocks with a window to one without, and a rotary base for each of the two kinds.
extension Family {
  static let gemma3 = Family(
    name: "gemma3",
    block: .init(
      attentionPostNorm: .rootMeanSquare, mlpPostNorm: .rootMeanSquare,
      headNorm: .init(.rootMeanSquare, over: .head), mlp: .init(.geluTanh, isGated: true)),
    huggingFace: HuggingFaceForm(
      modelTypes: ["gemma3_text"], layout: .gemma2,
      defaults: [
        "vocab_size": 262_208, "num_attention_heads": 8, "num_key_value_heads": 4,
        "head_dim": 256, "max_position_embeddings": 131_072, "rms_norm_eps": 1e-6,
        "query_pre_attn_scalar": 256, "sliding_window": 4096, "sliding_window_pattern": 6,
        "rope_theta": 1_000_000, "rope_local_base_freq": 10_000,
      ], activationKeys: ["hidden_activation"], tiesUnembedding: true
    ) { model, config in
      model.scaleEmbeddingByWidth()
      try model.setBiases(config)
      let scale = 1 / Float(try config.number("query_pre_attn_scalar")).squareRoot()
      model.eachBlock { $0.attentionScale = scale }
      model.architecture.logitSoftCap = try config.numberIfThere("final_logit_softcapping")
        .map(Float.init)
      if let windows = try config.windowsByType(model.architecture.layers) {
        model.setWindows(windows)
      } else {
        model.setWindows(
          try config.size("sliding_window"), fullEvery: try config.size("sliding_window_pattern"))
      }
      try model.setRotaryByType(config, windowed: config.number("rope_local_base_freq"))
    },
    gguf: GGUFForm(names: ["gemma3"], layout: .gguf) { model, keys in
      model.scaleEmbeddingByWidth()
      // As in Gemma 2 the largest model, of 62 layers, has a scale of its own.
      let sizes = model.architecture
      let isLargest = sizes.layers == 62
      let scale =
        1 / Float(isLargest ? sizes.width / sizes.heads : sizes.headWidth).squareRoot()
      model.architecture.logitSoftCap = try keys.number("final_logit_softcapping").map(Float.init)
      let isWindowed = try keys.windows(sizes.layers, window: 1, patternIfMissing: 6)
      let window = try keys.size("attention.sliding_window")
      let local = try keys.factor("rope.freq_base_swa") ?? 10_000
      for layer in 0..<sizes.layers {
        model.architecture.blocks[layer].attentionScale = scale
        guard isWindowed[layer] != nil else { continue }
        model.architecture.blocks[layer].window = window
        model.architecture.blocks[layer].rotary?.base = local
        model.architecture.blocks[layer].rotary?.scaling = nil
      }
    })
}
