import TensorCore

extension LanguageModel.Weights {
  /// Takes the weights that the architecture needs.
  ///
  /// - Throws: `UserError` where one is missing or does not fit the architecture.
  init(from reader: WeightReader<some CheckpointSource>) throws {
    let layout = reader.layout
    let architecture = reader.architecture
    let width = architecture.width
    let vocabulary = architecture.vocabulary
    embedding = try reader.matrix(
      reader.prefix + layout.embedding + ".weight", vocabulary, width)
    positions =
      architecture.learnsPositions
      ? try reader.matrix(
        reader.prefix + layout.positions + ".weight", architecture.contextLength, width)
      : nil
    finalNorm = try reader.norm(
      reader.prefix + layout.finalNorm, architecture.finalNorm, width)
    let head = try reader.source.prefix(before: layout.unembedding, usually: "")
    unembedding = PackedLinear(
      architecture.tiesUnembedding
        ? embedding : try reader.matrix("\(head)\(layout.unembedding).weight", vocabulary, width),
      bias: architecture.hasUnembeddingBias
        ? try reader.vector("\(head)\(layout.unembedding).bias", vocabulary) : nil)
    blocks = try (0..<architecture.layers).map { try LanguageModel.Block($0, reader) }
  }
}

extension LanguageModel.Block {
  fileprivate init(_ layer: Int, _ reader: WeightReader<some CheckpointSource>) throws {
    let layout = reader.layout
    let architecture = reader.architecture
    let block = architecture.blocks[layer]
    let width = architecture.width
    func name(_ part: String) -> String { "\(reader.prefix)\(layout.block).\(layer).\(part)" }
    attentionNorm = try reader.norm(name(layout.attentionNorm), block.attentionNorm, width)
    (query, key, value) = try reader.projections(name, hasBias: block.biases.query)
    queryNorm = try block.headNorm.map {
      try reader.headNorm(name(layout.queryNorm), $0, heads: architecture.heads)
    }
    keyNorm = try block.headNorm.map {
      try reader.headNorm(name(layout.keyNorm), $0, heads: architecture.keyValueHeads)
    }
    output = try reader.linear(
      name(layout.output), width, architecture.queryWidth, hasBias: block.biases.output)
    attentionPostNorm = try reader.norm(
      name(layout.attentionPostNorm), block.attentionPostNorm, width)
    mlpNorm = try reader.norm(name(layout.mlpNorm), block.mlpNorm, width)
    (gate, up) = try reader.hidden(name, hasBias: block.biases.mlp)
    down = try reader.linear(
      name(layout.down), width, architecture.hiddenWidth, hasBias: block.biases.mlp)
    mlpPostNorm = try reader.norm(name(layout.mlpPostNorm), block.mlpPostNorm, width)
  }
}
