import TensorCore

/// Falcon 7B, 40B and 11B (Almazrouei et al. 2023): attention and MLP side by side, queries, keys and
/// values in one matrix by group.
extension Family {
  static let falcon = Family(
    name: "falcon",
    block: .init(
      norm: .layer, order: .parallelWithOneNorm, mlp: .init(.gelu, isGated: false)),
    finalNorm: .layer,
    huggingFace: HuggingFaceForm(
      modelTypes: ["falcon"], layout: .falcon,
      defaults: ["layer_norm_epsilon": 1e-5, "max_position_embeddings": 2048],
      tiesUnembedding: true
    ) { model, config in
      try model.setFalconForm(config)
    },
    // The converter stacks queries, keys and values.
    gguf: GGUFForm(names: ["falcon"], layout: .ggufPlain) { model, keys in
      guard keys.hasTensor("blk.0.attn_norm_2.weight") else { return }
      model.eachBlock { $0.setOrder(.parallel) }
      model.layout.attentionNorm = "attn_norm_2"
      model.layout.mlpNorm = "attn_norm"
    })
}

extension CheckpointLayout {
  fileprivate static let falcon = CheckpointLayout(
    prefix: "transformer.", embedding: "word_embeddings", finalNorm: "ln_f",
    unembedding: "lm_head", block: "h", attentionNorm: "input_layernorm",
    projections: .byGroup("self_attention.query_key_value"), output: "self_attention.dense",
    mlpNorm: "post_attention_layernorm", hidden: .plain(up: "mlp.dense_h_to_4h"),
    down: "mlp.dense_4h_to_h", ignored: ["self_attention.rotary_emb.inv_freq"])
}

extension ModelDescription {
  /// The new decoder has groups of heads and one or two norms side by side; the old one keys of every head
  /// or of one for all, side by side or one after the other.
  fileprivate mutating func setFalconForm(_ config: HuggingFaceConfig) throws {
    if try config.bool("alibi") ?? false {
      throw config.unsupported("alibi", "true", known: "false")
    }
    let hasBias = try config.bool("bias") ?? false
    let isNew = try config.bool("new_decoder_architecture") ?? false
    let isParallel = try config.bool("parallel_attn") ?? true
    let norms = try config.sizeIfThere("num_ln_in_parallel_attn") ?? (isNew ? 2 : 1)
    guard norms == 1 || (norms == 2 && isNew && isParallel) else {
      throw config.unsupported(
        "num_ln_in_parallel_attn", "\(norms)", known: "1, or 2 with new_decoder_architecture")
    }
    if isNew {
      architecture.keyValueHeads =
        try config.sizeIfThere("num_kv_heads") ?? architecture.heads
    } else {
      let isShared = try config.bool("multi_query") ?? true
      architecture.keyValueHeads = isShared ? 1 : architecture.heads
    }
    if norms == 2 {
      layout.attentionNorm = "ln_attn"
      layout.mlpNorm = "ln_mlp"
    }
    eachBlock {
      $0.setOrder(
        !isParallel ? .sequential : norms == 2 ? .parallel : .parallelWithOneNorm)
      if hasBias { $0.biases = .all }
    }
  }
}
