import TensorCore

/// Tensors by name, whatever kind of file they lie in.
protocol CheckpointSource {
  var path: String { get }
  func hasTensor(_ name: String) -> Bool
  func matrix(_ name: String) throws -> StoredMatrix
  func vector(_ name: String) throws -> [Float]
}

extension GGUFFile: CheckpointSource {
  func hasTensor(_ name: String) -> Bool { tensors[name] != nil }
}

/// Where a family keeps its weights: the names are the family's, the roles are ours.
struct CheckpointNames: Sendable {
  let embedding: String
  let finalNorm: String
  let unembedding: String
  /// Before the number of a block, and after it.
  let block: String
  let attentionNorm: String
  let query: String
  let key: String
  let value: String
  let output: String
  let mlpNorm: String
  let gate: String
  let up: String
  let down: String

  static let gguf = CheckpointNames(
    embedding: "token_embd", finalNorm: "output_norm", unembedding: "output", block: "blk",
    attentionNorm: "attn_norm", query: "attn_q", key: "attn_k", value: "attn_v",
    output: "attn_output", mlpNorm: "ffn_norm", gate: "ffn_gate", up: "ffn_up", down: "ffn_down")

  static let huggingFace = CheckpointNames(
    embedding: "model.embed_tokens", finalNorm: "model.norm", unembedding: "lm_head",
    block: "model.layers", attentionNorm: "input_layernorm", query: "self_attn.q_proj",
    key: "self_attn.k_proj", value: "self_attn.v_proj", output: "self_attn.o_proj",
    mlpNorm: "post_attention_layernorm", gate: "mlp.gate_proj", up: "mlp.up_proj",
    down: "mlp.down_proj")
}

extension LanguageModel.Weights {
  /// Takes the weights from `source`, each checked against the architecture.
  ///
  /// - Parameter pairsAreNeighbours: the rows of queries and keys are stored so that values *2i* and
  ///   *2i + 1* of a head form a rotary pair, as GGUF's `llama` has them; they are read in the order
  ///   in which *i* and *i + half* do.
  init(
    from source: some CheckpointSource, names: CheckpointNames, architecture: Architecture,
    pairsAreNeighbours: Bool
  ) throws {
    let width = architecture.width

    func matrix(_ name: String, _ rows: Int, _ columns: Int) throws -> StoredMatrix {
      let matrix = try source.matrix(name + ".weight")
      guard matrix.rows == rows, matrix.columns == columns else {
        throw UserError(
          "the tensor \(name).weight is \(matrix.rows) × \(matrix.columns), "
            + "the architecture needs \(rows) × \(columns)",
          at: source.path, remedy: "get the file again; its parts do not fit together")
      }
      return matrix
    }
    func vector(_ name: String, _ count: Int) throws -> Tensor {
      let values = try source.vector(name)
      guard values.count == count else {
        throw UserError(
          "the tensor \(name) has \(values.count) values, the architecture needs \(count)",
          at: source.path, remedy: "get the file again; its parts do not fit together")
      }
      return Tensor(values, shape: [count])
    }
    func linear(_ name: String, _ rows: Int, _ columns: Int, heads: Int? = nil) throws
      -> PackedLinear
    {
      let order = heads.flatMap { heads in
        pairsAreNeighbours
          ? Self.halvesFromNeighbours(
            heads: heads, headWidth: rows / heads, rotated: architecture.rotary.dimensions) : nil
      }
      var bias = try source.hasTensor(name + ".bias") ? vector(name + ".bias", rows) : nil
      if let order, let values = bias {
        bias = Tensor(order.map { values[$0] }, shape: [rows])
      }
      return PackedLinear(try matrix(name, rows, columns), bias: bias, rowOrder: order)
    }

    embedding = try matrix(names.embedding, architecture.vocabulary, width)
    finalNorm = try vector(names.finalNorm + ".weight", width)
    unembedding =
      try source.hasTensor(names.unembedding + ".weight")
      ? linear(names.unembedding, architecture.vocabulary, width) : PackedLinear(embedding)
    blocks = try (0..<architecture.layers).map { layer in
      func name(_ part: String) -> String { "\(names.block).\(layer).\(part)" }
      return LanguageModel.Block(
        attentionNorm: try vector(name(names.attentionNorm) + ".weight", width),
        query: try linear(
          name(names.query), architecture.queryWidth, width, heads: architecture.heads),
        key: try linear(
          name(names.key), architecture.keyWidth, width, heads: architecture.keyValueHeads),
        value: try linear(name(names.value), architecture.keyWidth, width),
        output: try linear(name(names.output), width, architecture.queryWidth),
        mlpNorm: try vector(name(names.mlpNorm) + ".weight", width),
        gate: try linear(name(names.gate), architecture.hiddenWidth, width),
        up: try linear(name(names.up), architecture.hiddenWidth, width),
        down: try linear(name(names.down), width, architecture.hiddenWidth))
    }
  }

  /// Stored row of each output when neighbouring rows of a head are to become its two halves.
  private static func halvesFromNeighbours(heads: Int, headWidth: Int, rotated: Int) -> [Int] {
    let half = rotated / 2
    return (0..<heads * headWidth).map { output in
      let head = output / headWidth
      let value = output % headWidth
      guard value < rotated else { return output }
      return head * headWidth + 2 * (value % half) + value / half
    }
  }
}
