import TensorCore

/// A model's weights in a differentiable pass. Those that stay in the format of their file are
/// constants; dense ones are tensors, which a recording may follow.
public struct TransformerWeights: TensorTree, Sendable {
  /// `x · Wᵀ + b`.
  public enum Linear: Sendable {
    case packed(PackedLinear)
    /// `[outputs, inputs]`, and `[outputs]` or none.
    case dense(Tensor, bias: Tensor?)
  }

  public enum Embedding: Sendable {
    /// `[vocabulary, width]`.
    case packed(StoredMatrix)
    /// `[vocabulary, width]`.
    case dense(Tensor)
  }

  public struct Norm: Sendable {
    public var kind: Architecture.Norm.Kind
    public var epsilon: Float
    /// `[width]`, or, over heads, `[heads · headWidth]`.
    public var weight: Tensor
    public var bias: Tensor?
    /// Values that are normalised together.
    public var span: Int

    public init(
      kind: Architecture.Norm.Kind, epsilon: Float, weight: Tensor, bias: Tensor?, span: Int
    ) {
      self.kind = kind
      self.epsilon = epsilon
      self.weight = weight
      self.bias = bias
      self.span = span
    }
  }

  /// One block's weights; a norm that the architecture lacks is nil.
  public struct Block: Sendable {
    public var attentionNorm: Norm?
    public var query: Linear
    public var key: Linear
    public var value: Linear
    public var queryNorm: Norm?
    public var keyNorm: Norm?
    public var output: Linear
    public var attentionPostNorm: Norm?
    public var mlpNorm: Norm?
    public var gate: Linear?
    public var up: Linear
    public var down: Linear
    public var mlpPostNorm: Norm?

    public init(
      attentionNorm: Norm?, query: Linear, key: Linear, value: Linear, output: Linear,
      mlpNorm: Norm?, gate: Linear?, up: Linear, down: Linear
    ) {
      self.attentionNorm = attentionNorm
      self.query = query
      self.key = key
      self.value = value
      self.output = output
      self.mlpNorm = mlpNorm
      self.gate = gate
      self.up = up
      self.down = down
    }
  }

  public var embedding: Embedding
  /// `[contextLength, width]`, where positions are learned.
  public var positions: Embedding?
  public var blocks: [Block]
  public var finalNorm: Norm
  /// Nil where it is the embedding.
  public var unembedding: Linear?

  public init(
    embedding: Embedding, positions: Embedding?, blocks: [Block], finalNorm: Norm,
    unembedding: Linear?
  ) {
    self.embedding = embedding
    self.positions = positions
    self.blocks = blocks
    self.finalNorm = finalNorm
    self.unembedding = unembedding
  }

  /// Those of a model, as its files store them.
  init(_ model: LanguageModel) {
    let weights = model.weights
    embedding = .packed(weights.embedding)
    positions = weights.positions.map { .packed($0) }
    blocks = weights.blocks.map(Block.init)
    finalNorm = Norm(weights.finalNorm)
    unembedding = .packed(weights.unembedding)
  }

  /// Every dense tensor and every norm.
  public func mapTensors(_ transform: (Tensor) -> Tensor) -> Self {
    var mapped = self
    mapped.embedding = embedding.mapTensors(transform)
    mapped.positions = positions?.mapTensors(transform)
    mapped.blocks = blocks.map { $0.mapTensors(transform) }
    mapped.finalNorm = finalNorm.mapTensors(transform)
    mapped.unembedding = unembedding?.mapTensors(transform)
    return mapped
  }
}

extension TransformerWeights.Linear {
  func mapTensors(_ transform: (Tensor) -> Tensor) -> Self {
    guard case .dense(let weight, let bias) = self else { return self }
    return .dense(transform(weight), bias: bias.map(transform))
  }
}

extension TransformerWeights.Embedding {
  func mapTensors(_ transform: (Tensor) -> Tensor) -> Self {
    guard case .dense(let table) = self else { return self }
    return .dense(transform(table))
  }

  /// Rows `indices`, `[indices, width]`.
  func rows(_ indices: [Int]) -> Tensor {
    switch self {
    case .dense(let table): return table.gathered(indices)
    case .packed(let matrix):
      return Tensor(shape: [indices.count, matrix.columns]) { out in
        for (row, index) in indices.enumerated() {
          matrix.unpackRows(index..<index + 1, into: out + row * matrix.columns)
        }
      }
    }
  }
}

extension TransformerWeights.Norm {
  init(_ norm: LanguageModel.Norm) {
    self.init(
      kind: norm.kind, epsilon: norm.epsilon, weight: norm.weight, bias: norm.bias,
      span: norm.weight.count)
  }

  init(_ norm: LanguageModel.HeadNorm) {
    self.init(norm.norm)
    span = norm.span
  }

  func mapTensors(_ transform: (Tensor) -> Tensor) -> Self {
    var mapped = self
    mapped.weight = transform(weight)
    mapped.bias = bias.map(transform)
    return mapped
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let spans = x.columns == span ? x : x.reshaped([-1, span])
    let normed =
      switch kind {
      case .rootMeanSquare: spans.rootMeanSquareNormalised(weight: weight, epsilon: epsilon)
      case .layer: spans.layerNormalised(weight: weight, bias: bias, epsilon: epsilon)
      }
    return x.columns == span ? normed : normed.reshaped(x.shape)
  }
}

extension TransformerWeights.Block {
  init(_ block: LanguageModel.Block) {
    self.init(
      attentionNorm: block.attentionNorm.map { .init($0) }, query: .packed(block.query),
      key: .packed(block.key), value: .packed(block.value), output: .packed(block.output),
      mlpNorm: block.mlpNorm.map { .init($0) }, gate: block.gate.map { .packed($0) },
      up: .packed(block.up), down: .packed(block.down))
    queryNorm = block.queryNorm.map { .init($0) }
    keyNorm = block.keyNorm.map { .init($0) }
    attentionPostNorm = block.attentionPostNorm.map { .init($0) }
    mlpPostNorm = block.mlpPostNorm.map { .init($0) }
  }

  func mapTensors(_ transform: (Tensor) -> Tensor) -> Self {
    var mapped = self
    mapped.attentionNorm = attentionNorm?.mapTensors(transform)
    mapped.query = query.mapTensors(transform)
    mapped.key = key.mapTensors(transform)
    mapped.value = value.mapTensors(transform)
    mapped.queryNorm = queryNorm?.mapTensors(transform)
    mapped.keyNorm = keyNorm?.mapTensors(transform)
    mapped.output = output.mapTensors(transform)
    mapped.attentionPostNorm = attentionPostNorm?.mapTensors(transform)
    mapped.mlpNorm = mlpNorm?.mapTensors(transform)
    mapped.gate = gate?.mapTensors(transform)
    mapped.up = up.mapTensors(transform)
    mapped.down = down.mapTensors(transform)
    mapped.mlpPostNorm = mlpPostNorm?.mapTensors(transform)
    return mapped
  }
}
