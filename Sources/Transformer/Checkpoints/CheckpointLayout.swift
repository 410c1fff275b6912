/// Where and how a family keeps its weights: the names are the family's, the roles are ours. Which of
/// them a model has is for its architecture to say.
struct CheckpointLayout: Sendable {
  /// The rows of queries, keys and values, each `heads · headWidth` of them.
  enum Projections: Sendable {
    case separate(query: String, key: String, value: String)
    /// One matrix: all queries, all keys, all values.
    case stacked(String)
    /// One matrix: query, key and value of the first head, of the second, …
    case byHead(String)
  }

  /// Before all names but the unembedding's; some files leave it out.
  var prefix = ""
  var embedding: String
  var positions = ""
  var finalNorm: String
  var unembedding: String
  /// Before the number of a block.
  var block: String
  var attentionNorm: String
  var projections: Projections
  var queryNorm = ""
  var keyNorm = ""
  var output: String
  var attentionPostNorm = ""
  var mlpNorm: String
  var gate = ""
  var up: String
  var down: String
  var mlpPostNorm = ""
  /// Values *2i* and *2i + 1* of a head form a rotary pair, not *i* and *i + half*.
  var pairsAreNeighbours = false
  /// The matrices of blocks are `[inputs, outputs]`.
  var isTransposed = false
  /// What is added to the weights of norms.
  var normOffset: Float = 0
}

extension CheckpointLayout {
  /// Names of llama.cpp's converter.
  static let gguf = CheckpointLayout(
    embedding: "token_embd", positions: "position_embd", finalNorm: "output_norm",
    unembedding: "output", block: "blk", attentionNorm: "attn_norm",
    projections: .separate(query: "attn_q", key: "attn_k", value: "attn_v"),
    queryNorm: "attn_q_norm", keyNorm: "attn_k_norm", output: "attn_output",
    attentionPostNorm: "post_attention_norm", mlpNorm: "ffn_norm", gate: "ffn_gate", up: "ffn_up",
    down: "ffn_down", mlpPostNorm: "post_ffw_norm")

  static let ggufWithNeighbours = gguf.with { $0.pairsAreNeighbours = true }

  /// The converter also stacks what GPT-NeoX keeps by head.
  static let ggufFused = gguf.with { $0.projections = .stacked("attn_qkv") }

  /// Names of transformers, which Qwen shares.
  static let llama = CheckpointLayout(
    prefix: "model.", embedding: "embed_tokens", finalNorm: "norm", unembedding: "lm_head",
    block: "layers", attentionNorm: "input_layernorm",
    projections: .separate(
      query: "self_attn.q_proj", key: "self_attn.k_proj", value: "self_attn.v_proj"),
    queryNorm: "self_attn.q_norm", keyNorm: "self_attn.k_norm", output: "self_attn.o_proj",
    mlpNorm: "post_attention_layernorm", gate: "mlp.gate_proj", up: "mlp.up_proj",
    down: "mlp.down_proj")

  static let gemma2 = llama.with {
    $0.attentionPostNorm = "post_attention_layernorm"
    $0.mlpNorm = "pre_feedforward_layernorm"
    $0.mlpPostNorm = "post_feedforward_layernorm"
    $0.normOffset = 1
  }

  static let gpt2 = CheckpointLayout(
    prefix: "transformer.", embedding: "wte", positions: "wpe", finalNorm: "ln_f",
    unembedding: "lm_head", block: "h", attentionNorm: "ln_1",
    projections: .stacked("attn.c_attn"), output: "attn.c_proj", mlpNorm: "ln_2", up: "mlp.c_fc",
    down: "mlp.c_proj", isTransposed: true)

  static let gptNeoX = CheckpointLayout(
    prefix: "gpt_neox.", embedding: "embed_in", finalNorm: "final_layer_norm",
    unembedding: "embed_out", block: "layers", attentionNorm: "input_layernorm",
    projections: .byHead("attention.query_key_value"), output: "attention.dense",
    mlpNorm: "post_attention_layernorm", up: "mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h")

  private func with(_ change: (inout CheckpointLayout) -> Void) -> CheckpointLayout {
    var copy = self
    change(&copy)
    return copy
  }
}
