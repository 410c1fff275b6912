import TensorCore

/// GPT-J (Wang and Komatsuzaki 2021): one norm for attention and MLP side by side, neighbouring values
/// rotated, a bias of the unembedding.
extension Family {
  static let gptJ = Family(
    name: "gptj",
    block: .init(
      norm: .layer, order: .parallelWithOneNorm, biases: .init(mlp: true),
      rotary: .init(pairing: .neighbours), mlp: .init(.geluTanh, isGated: false)),
    finalNorm: .layer,
    huggingFace: HuggingFaceForm(
      modelTypes: ["gptj"],
      layout: CheckpointLayout(
        prefix: "transformer.", embedding: "wte", finalNorm: "ln_f", unembedding: "lm_head",
        block: "h", attentionNorm: "ln_1",
        projections: .separate(query: "attn.q_proj", key: "attn.k_proj", value: "attn.v_proj"),
        output: "attn.out_proj", hidden: .plain(up: "mlp.fc_in"), down: "mlp.fc_out",
        ignored: ["attn.bias", "attn.masked_bias", "attn.embed_positions"]),
      defaults: ["layer_norm_epsilon": 1e-5, "rotary_dim": 64]
    ) { model, config in
      model.architecture.hasUnembeddingBias = true
      guard !config.isNull("rotary_dim") else {
        throw config.unsupported("rotary_dim", "null", known: "a number")
      }
      let dimensions = try config.size("rotary_dim")
      model.eachBlock { $0.rotary?.dimensions = dimensions }
    })
}
