extension CheckpointLayout {
  /// Names of llama.cpp's converter, which all families share; a file may have queries, keys and values as
  /// one matrix, `attn_qkv`.
  static let gguf = CheckpointLayout(
    embedding: "token_embd", positions: "position_embd", finalNorm: "output_norm",
    unembedding: "output", block: "blk", attentionNorm: "attn_norm",
    projections: .separate(query: "attn_q", key: "attn_k", value: "attn_v"),
    queryNorm: "attn_q_norm", keyNorm: "attn_k_norm", output: "attn_output",
    attentionPostNorm: "post_attention_norm", mlpNorm: "ffn_norm",
    hidden: .gated(gate: "ffn_gate", up: "ffn_up"), down: "ffn_down",
    mlpPostNorm: "post_ffw_norm",
    ignored: ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"])

  /// Of the families whose converter puts the two halves of a rotary pair side by side.
  static let ggufWithNeighbours = gguf.with { $0.pairsAreNeighbours = true }

  /// Of the families without a gate.
  static let ggufPlain = gguf.with { $0.hidden = .plain(up: "ffn_up") }
}
