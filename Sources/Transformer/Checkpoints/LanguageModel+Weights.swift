import TensorCore

extension LanguageModel.Weights {
  /// Takes the weights from `source`.
  ///
  /// - Throws: `UserError` where one is missing or does not fit the architecture.
  init(
    from source: some CheckpointSource, layout: CheckpointLayout, architecture: Architecture
  ) throws {
    let reader = WeightReader(source, layout, architecture)
    let width = architecture.width
    let vocabulary = architecture.vocabulary
    embedding = try reader.matrix(reader.prefix + layout.embedding, vocabulary, width)
    positions =
      architecture.positions == .learned
      ? try reader.matrix(reader.prefix + layout.positions, architecture.contextLength, width)
      : nil
    finalNorm = try reader.norm(reader.prefix + layout.finalNorm, width)
    unembedding = PackedLinear(
      architecture.tiesUnembedding
        ? embedding : try reader.matrix(layout.unembedding, vocabulary, width))
    blocks = try (0..<architecture.layers).map { try LanguageModel.Block($0, reader) }
  }
}

extension LanguageModel.Block {
  fileprivate init(_ layer: Int, _ reader: WeightReader<some CheckpointSource>) throws {
    let layout = reader.layout
    let architecture = reader.architecture
    let width = architecture.width
    let hiddenWidth = architecture.hiddenWidth
    let biases = architecture.biases
    func name(_ part: String) -> String { "\(reader.prefix)\(layout.block).\(layer).\(part)" }
    /// The norms of heads have a weight but no bias, whatever the model's other norms have.
    func headNorm(_ part: String) throws -> Tensor? {
      architecture.normalisesHeads
        ? try reader.vector(name(part) + ".weight", architecture.headWidth) : nil
    }
    func postNorm(_ part: String) throws -> LanguageModel.Norm? {
      architecture.norm.followsBranches ? try reader.norm(name(part), width) : nil
    }
    attentionNorm = try reader.norm(name(layout.attentionNorm), width)
    (query, key, value) = try reader.projections(name)
    queryNorm = try headNorm(layout.queryNorm)
    keyNorm = try headNorm(layout.keyNorm)
    output = try reader.linear(
      name(layout.output), width, architecture.queryWidth, hasBias: biases.output)
    attentionPostNorm = try postNorm(layout.attentionPostNorm)
    mlpNorm = try reader.norm(name(layout.mlpNorm), width)
    gate =
      architecture.mlp.isGated
      ? try reader.linear(name(layout.gate), hiddenWidth, width, hasBias: biases.mlp) : nil
    up = try reader.linear(name(layout.up), hiddenWidth, width, hasBias: biases.mlp)
    down = try reader.linear(name(layout.down), width, hiddenWidth, hasBias: biases.mlp)
    mlpPostNorm = try postNorm(layout.mlpPostNorm)
  }
}
