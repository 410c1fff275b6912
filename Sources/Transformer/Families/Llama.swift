/// Llama 1 to 3.3 (Touvron et al. 2023), and what follows it to the letter: TinyLlama, SmolLM 1 and 2.
extension Family {
  static let llama = Family(
    name: "llama",
    huggingFace: HuggingFaceForm(
      modelTypes: ["llama"], layout: .llama, defaults: ["rms_norm_eps": 1e-6]
    ) { model, config in
      try model.setBiases(config)
    },
    // Llama's converter permutes the rows of queries and keys.
    gguf: GGUFForm(names: ["llama"], layout: .ggufWithNeighbours))
}

extension CheckpointLayout {
  /// Names of transformers' Llama, which most later families share.
  static let llama = CheckpointLayout(
    prefix: "model.", embedding: "embed_tokens", finalNorm: "norm", unembedding: "lm_head",
    block: "layers", attentionNorm: "input_layernorm",
    projections: .separate(
      query: "self_attn.q_proj", key: "self_attn.k_proj", value: "self_attn.v_proj"),
    queryNorm: "self_attn.q_norm", keyNorm: "self_attn.k_norm", output: "self_attn.o_proj",
    mlpNorm: "post_attention_layernorm",
    hidden: .gated(gate: "mlp.gate_proj", up: "mlp.up_proj"), down: "mlp.down_proj",
    ignored: ["rotary_emb.inv_freq"])
}

extension ModelDescription {
  /// `attention_bias` for queries, keys, values and output alike, and `mlp_bias`.
  mutating func setBiases(_ config: HuggingFaceConfig) throws {
    let attention = try config.bool("attention_bias") ?? false
    let mlp = try config.bool("mlp_bias") ?? false
    eachBlock { $0.biases = .init(query: attention, output: attention, mlp: mlp) }
  }
}
