/// GPT-NeoX and Pythia (Black et al. 2022; Biderman et al. 2023): attention and MLP side by side, a
/// quarter of each head rotated.
extension Family {
  static let gptNeoX = Family(
    name: "gptneox",
    block: .init(
      norm: .layer, order: .parallel, biases: .all, mlp: .init(.gelu, isGated: false)),
    finalNorm: .layer,
    huggingFace: HuggingFaceForm(
      modelTypes: ["gpt_neox"], layout: .gptNeoX,
      defaults: ["layer_norm_eps": 1e-5, "rotary_pct": 0.25, "rotary_emb_base": 10_000]
    ) { model, config in
      let isParallel = try config.bool("use_parallel_residual") ?? true
      let hasBias = try config.bool("attention_bias") ?? true
      model.eachBlock {
        $0.setOrder(isParallel ? .parallel : .sequential)
        $0.biases.query = hasBias
        $0.biases.output = hasBias
      }
    },
    // The converter stacks queries, keys and values.
    gguf: GGUFForm(names: ["gptneox"], layout: .ggufPlain, unembedding: .required) { model, keys in
      let isParallel = try keys.bool("use_parallel_residual") ?? true
      model.eachBlock { $0.setOrder(isParallel ? .parallel : .sequential) }
    })
}

extension CheckpointLayout {
  static let gptNeoX = CheckpointLayout(
    prefix: "gpt_neox.", embedding: "embed_in", finalNorm: "final_layer_norm",
    unembedding: "embed_out", block: "layers", attentionNorm: "input_layernorm",
    projections: .byGroup("attention.query_key_value"), output: "attention.dense",
    mlpNorm: "post_attention_layernorm", hidden: .plain(up: "mlp.dense_h_to_4h"),
    down: "mlp.dense_4h_to_h",
    ignored: ["attention.bias", "attention.masked_bias", "rotary_emb.inv_freq"])
}
