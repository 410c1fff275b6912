/// GPT-2 (Radford et al. 2019): learned positions, layer norms, biases everywhere.
extension Family {
  static let gpt2 = Family(
    name: "gpt2",
    block: .init(
      norm: .layer, biases: .all, rotary: nil, mlp: .init(.geluTanh, isGated: false)),
    finalNorm: .layer,
    huggingFace: HuggingFaceForm(
      modelTypes: ["gpt2"], layout: .gpt2, defaults: ["layer_norm_epsilon": 1e-5],
      tiesUnembedding: true
    ) { model, config in
      model.architecture.learnsPositions = true
      try model.setGPT2Scale(config)
    },
    gguf: GGUFForm(names: ["gpt2"], layout: .ggufPlain) { model, _ in
      model.architecture.learnsPositions = true
    })
}

extension CheckpointLayout {
  static let gpt2 = CheckpointLayout(
    prefix: "transformer.", embedding: "wte", positions: "wpe", finalNorm: "ln_f",
    unembedding: "lm_head", block: "h", attentionNorm: "ln_1",
    projections: .stacked("attn.c_attn"), output: "attn.c_proj", mlpNorm: "ln_2",
    hidden: .plain(up: "mlp.c_fc"), down: "mlp.c_proj", isTransposed: true,
    ignored: ["attn.bias", "attn.masked_bias"])
}

extension ModelDescription {
  /// Scores may be left unscaled, or be divided by the number of the block.
  mutating func setGPT2Scale(_ config: HuggingFaceConfig) throws {
    let isUnscaled = try config.bool("scale_attn_weights") == false
    let isByLayer = try config.bool("scale_attn_by_inverse_layer_idx") ?? false
    for layer in architecture.blocks.indices {
      if isUnscaled { architecture.blocks[layer].attentionScale = 1 }
      if isByLayer { architecture.blocks[layer].attentionScale /= Float(layer + 1) }
    }
  }
}
