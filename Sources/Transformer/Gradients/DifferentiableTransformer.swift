import TensorCore

/// The forward pass in differentiable tensor operations: the same block as `TransformerBlock`, for rows
/// of several sequences one after the other.
///
/// What it gives is what the engine gives, up to rounding; the engine is the one to run models with.
public struct DifferentiableTransformer {
  public let architecture: Architecture
  public let weights: TransformerWeights
  let product: PackedProduct

  /// - Parameter product: multiplies with weights that stay packed.
  init(_ architecture: Architecture, _ weights: TransformerWeights, product: PackedProduct) {
    self.architecture = architecture
    self.weights = weights
    self.product = product
  }

  /// For dense weights, such as those that are trained.
  public init(_ architecture: Architecture, _ weights: TransformerWeights) {
    self.init(
      architecture, weights,
      product: PackedProduct(pool: Compute.pool))
  }

  /// The residual stream before the first block, `[rows, width]`.
  public func embedding(_ rows: SequenceRows) -> Tensor {
    let tokens = weights.embedding.rows(rows.tokens) * architecture.embeddingScale
    return weights.positions.map { tokens + $0.rows(rows.positions) } ?? tokens
  }

  /// The residual stream after block `layer`.
  ///
  /// - Parameters:
  ///   - input: `[rows, width]`.
  ///   - last: rows that go through the whole block, of which the result is; nil for all.
  ///   - watch: keeps cotangents on the way.
  public func block(
    _ layer: Int, _ input: Tensor, _ rows: SequenceRows, only last: [Int]? = nil,
    watch: inout BlockWatch
  ) -> Tensor {
    let block = architecture.blocks[layer]
    let weights = weights.blocks[layer]
    func taken(_ x: Tensor) -> Tensor { last.map { x.gathered($0) } ?? x }
    func clipped(_ x: Tensor) -> Tensor { block.queryKeyValueClip.map { x.clipped(to: $0) } ?? x }
    func rotated(_ x: Tensor, of indices: [Int]? = nil) -> Tensor {
      guard let angles = rows.angles[layer] else { return x }
      let taken = indices.map { angles.gathered($0) } ?? angles
      return x.rotated(taken, headWidth: architecture.headWidth)
    }

    let normed = weights.attentionNorm.map { $0(input) } ?? input
    var key = watch(.key, clipped(linear(weights.key, normed)))
    let value = watch(.value, clipped(linear(weights.value, normed)))
    key = watch(.rotatedKey, rotated(weights.keyNorm.map { $0(key) } ?? key))

    let normedQueries = taken(normed)
    var query = watch(.query, clipped(linear(weights.query, normedQueries)))
    query = watch(.rotatedQuery, rotated(weights.queryNorm.map { $0(query) } ?? query, of: last))
    let mixed = watch(
      .headOutput,
      attention(layer, rows, only: last, observer: watch.observer)(
        query: query, key: key, value: value))

    func branch(_ x: Tensor, _ norm: TransformerWeights.Norm?) -> Tensor {
      let normed = norm.map { $0(x) } ?? x
      return block.branchScale == 1 ? normed : normed * block.branchScale
    }
    func attended() -> Tensor {
      watch(.attentionOutput, branch(linear(weights.output, mixed), weights.attentionPostNorm))
    }
    func multilayer(_ x: Tensor) -> Tensor {
      watch(.mlpOutput, branch(mlp(block, weights, x, &watch), weights.mlpPostNorm))
    }

    let stream = taken(input)
    switch block.order {
    case .sequential:
      let middle = watch(.residualMiddle, stream + attended())
      return middle + multilayer(weights.mlpNorm.map { $0(middle) } ?? middle)
    case .parallel:
      let read = weights.mlpNorm.map { $0(stream) } ?? stream
      return stream + attended() + multilayer(read)
    case .parallelWithOneNorm:
      return stream + attended() + multilayer(normedQueries)
    }
  }

  /// `W · (f(gate) · up)`, or `W · f(up)`.
  private func mlp(
    _ block: Architecture.Block, _ weights: TransformerWeights.Block, _ x: Tensor,
    _ watch: inout BlockWatch
  ) -> Tensor {
    guard let gate = weights.gate else {
      let hidden = watch(.hiddenPre, linear(weights.up, x))
      return linear(weights.down, watch(.hidden, hidden.activated(block.mlp.activation)))
    }
    let pre = watch(.hiddenPre, linear(gate, x))
    let up = watch(.hiddenLinear, linear(weights.up, x))
    return linear(
      weights.down, watch(.hidden, Tensor.gated(block.mlp.activation, gate: pre, up: up)))
  }

  private func attention(
    _ layer: Int, _ rows: SequenceRows, only last: [Int]?, observer: BlockWatch.Observer?
  ) -> CausalAttention {
    let block = architecture.blocks[layer]
    return CausalAttention(
      sequences: rows.attention(layer, only: last), heads: architecture.heads,
      groups: architecture.keyValueHeads, headWidth: architecture.headWidth,
      scale: block.attentionScale, softCap: block.attentionSoftCap, window: block.window,
      observer: observer)
  }

  /// The residual stream after the last block, normalised, `[rows, width]`.
  public func finalNormalised(_ stream: Tensor) -> Tensor { weights.finalNorm(stream) }

  /// Next-token logits of normalised rows, `[rows, vocabulary]`.
  public func logits(_ normed: Tensor) -> Tensor {
    switch (weights.unembedding, weights.embedding) {
    case (let map?, _): finished(linear(map, normed))
    case (nil, .dense(let table)): finished(normed.linear(table))
    case (nil, .packed(let matrix)): finished(product.linear(normed, PackedLinear(matrix)))
    }
  }

  /// Logits of some tokens, `[rows, tokens]`.
  public func logits(_ normed: Tensor, of tokens: [Int]) -> Tensor {
    switch (weights.unembedding, weights.embedding) {
    case (.packed(let map)?, _):
      let rows = Tensor(shape: [tokens.count, map.inputs]) { out in
        for (row, token) in tokens.enumerated() {
          map.unpack(token..<token + 1, into: out + row * map.inputs)
        }
      }
      let bias = map.bias.map { bias in Tensor(tokens.map { bias[$0] }, shape: [tokens.count]) }
      return finished(normed.linear(rows, bias: bias))
    case (.dense(let weight, let bias)?, _):
      return finished(
        normed.linear(
          weight.gathered(tokens),
          bias: bias.map { $0.reshaped([-1, 1]).gathered(tokens).reshaped([tokens.count]) }))
    case (nil, let embedding): return finished(normed.linear(embedding.rows(tokens)))
    }
  }

  private func finished(_ logits: Tensor) -> Tensor {
    let scaled = architecture.logitScale == 1 ? logits : logits * architecture.logitScale
    return architecture.logitSoftCap.map { scaled.softCapped($0) } ?? scaled
  }

  private func linear(_ map: TransformerWeights.Linear, _ x: Tensor) -> Tensor {
    switch map {
    case .packed(let packed): product.linear(x, packed)
    case .dense(let weight, let bias): x.linear(weight, bias: bias)
    }
  }
}

/// Which cotangents inside a block are kept.
public struct BlockWatch {
  typealias Observer = @Sendable (CausalAttention.Observation) -> Void

  private let wanted: Set<HookPoint.Site>
  /// Sites in the order in which their cotangents come.
  private(set) var sites: [HookPoint.Site] = []
  var watch: Watch
  let observer: Observer?

  /// Nothing is kept.
  public init() { self.init([], Watch()) }

  init(_ wanted: Set<HookPoint.Site>, _ watch: Watch, observer: Observer? = nil) {
    self.wanted = wanted
    self.watch = watch
    self.observer = observer
  }

  fileprivate mutating func callAsFunction(_ site: HookPoint.Site, _ x: Tensor) -> Tensor {
    if wanted.contains(site) {
      sites.append(site)
      watch.add(x)
    }
    return x
  }
}
