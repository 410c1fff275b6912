/// Gemma 2 (Gemma Team 2024): norms before and after both branches, soft caps, and a window on every
/// other block.
extension Family {
  static let gemma2 = Family(
    name: "gemma2",
    block: .init(
      attentionPostNorm: .rootMeanSquare, mlpPostNorm: .rootMeanSquare,
      mlp: .init(.geluTanh, isGated: true)),
    huggingFace: HuggingFaceForm(
      modelTypes: ["gemma2"], layout: .gemma2,
      defaults: [
        "rms_norm_eps": 1e-6, "head_dim": 256, "query_pre_attn_scalar": 256,
        "sliding_window": 4096, "attn_logit_softcapping": 50, "final_logit_softcapping": 30,
      ], activationKeys: ["hidden_activation"], tiesUnembedding: true
    ) { model, config in
      model.scaleEmbeddingByWidth()
      try model.setBiases(config)
      let scale = 1 / Float(try config.number("query_pre_attn_scalar")).squareRoot()
      let cap = try config.numberIfThere("attn_logit_softcapping").map(Float.init)
      model.eachBlock {
        $0.attentionScale = scale
        $0.attentionSoftCap = cap
      }
      model.architecture.logitSoftCap = try config.numberIfThere("final_logit_softcapping")
        .map(Float.init)
      if let windows = try config.windowsByType(model.architecture.layers) {
        model.setWindows(windows)
      } else {
        model.setWindows(try config.sizeIfThere("sliding_window"), fullEvery: 2)
      }
    },
    gguf: GGUFForm(names: ["gemma2"], layout: .gguf, unembedding: .tied) { model, keys in
      model.scaleEmbeddingByWidth()
      // GGUF has no key for the scale. Of the published models only that of 46 layers, 27B, differs from
      // the rule: its head is 128 wide but its scale is that of width / heads = 144.
      let sizes = model.architecture
      let isLargest = sizes.layers == 46
      let scale =
        1 / Float(isLargest ? sizes.width / sizes.heads : sizes.headWidth).squareRoot()
      let cap = Float(try keys.number("attn_logit_softcapping") ?? 50)
      model.eachBlock {
        $0.attentionScale = scale
        $0.attentionSoftCap = cap
      }
      model.architecture.logitSoftCap = Float(try keys.number("final_logit_softcapping") ?? 30)
      model.setWindows(
        try keys.windows(
          sizes.layers, window: keys.size("attention.sliding_window") ?? 4096,
          patternIfMissing: 2))
    })
}

extension CheckpointLayout {
  static let gemma2 = llama.with {
    $0.attentionPostNorm = "post_attention_layernorm"
    $0.mlpNorm = "pre_feedforward_layernorm"
    $0.mlpPostNorm = "post_feedforward_layernorm"
    $0.normOffset = 1
  }
}
