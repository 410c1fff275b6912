import TensorCore

/// Direct logit attribution (Elhage et al. 2021): how much each part of the model adds to a token's
/// logit, or to the difference of two, through the residual stream alone.
///
/// The final norm divides by one number a position; with that scale held fixed, logits are linear in
/// the residual stream x, and x is the sum of the embedding, every head's share, attention biases and
/// MLPs: `logit(a) − logit(b) = (U_a − U_b) · (w ⊙ (x − mean x) / scale + bias)`, without the mean and
/// the bias for RMS norms. A norm behind the attention is held fixed in the same way. Where logits are
/// capped, the parts add up to the difference before the cap.
public struct LogitAttribution: Sendable {
  public enum Part: Sendable, Equatable {
    case embedding
    case positionEmbedding
    case head(layer: Int, head: Int)
    /// The bias of the attention's output matrix.
    case attentionBias(layer: Int)
    case mlp(layer: Int)
    /// The bias of the final norm.
    case normBias
    /// The bias of the unembedding.
    case unembeddingBias
  }

  /// What each part adds, in the order of the pass.
  public let contributions: [(part: Part, value: Double)]
  /// The sum of all contributions.
  public var sum: Double { contributions.reduce(0) { $0 + $1.value } }

  /// - Parameters:
  ///   - position: whose next token is asked for.
  ///   - versus: the token whose logit is taken away; nil for the logit itself.
  public init(
    of run: RecordedRun, position: Int, answer: Int, versus: Int? = nil, engine: Engine
  ) throws {
    let model = engine.model
    let architecture = model.architecture
    let layers = 0..<architecture.layers
    let embeddings: [HookPoint.Site] =
      architecture.learnsPositions ? [.embedding, .positionEmbedding] : [.embedding]
    let hooks =
      [HookPoint(.finalNormScale)] + embeddings.map { HookPoint($0) }
      + layers.map { HookPoint(.headResult, layer: $0) }
      + layers.map { HookPoint(.mlpOutput, layer: $0) }
    let recorded = try engine.forward(
      ForwardRequest(
        tokens: run.tokens, base: run,
        recordings: hooks.map { Recording($0, positions: [position]) }, logits: .none)
    ).recorded.map { $0.values.map(Double.init) }

    let norm = model.weights.finalNorm
    let difference = Self.difference(answer, versus, model)
    let scale = Double(architecture.logitScale)
    var direction = difference.indices.map {
      difference[$0] * scale * Double(norm.weight[$0]) / recorded[0][0]
    }
    if norm.kind == .layer {
      // The mean is taken out of x; taken out of the direction it is the same.
      let mean = direction.reduce(0, +) / Double(direction.count)
      direction = direction.map { $0 - mean }
    }
    func along(_ values: some Collection<Double>) -> Double {
      zip(direction, values).reduce(0) { $0 + $1.0 * $1.1 }
    }

    let first = 1 + embeddings.count
    var contributions: [(part: Part, value: Double)] = [(.embedding, along(recorded[1]))]
    if embeddings.count == 2 { contributions.append((.positionEmbedding, along(recorded[2]))) }
    for layer in layers {
      let width = architecture.width
      let results = recorded[first + layer]
      let bias = model.weights.blocks[layer].output.bias?.values.map(Double.init)
      let factors = model.attentionFactors(layer: layer, headResults: results)
      func through(_ values: some Collection<Double>) -> Double {
        along(zip(values, factors).map { $0 * $1 })
      }
      for head in 0..<architecture.heads {
        contributions.append(
          (
            .head(layer: layer, head: head),
            through(results[head * width..<(head + 1) * width])
          ))
      }
      if let bias { contributions.append((.attentionBias(layer: layer), through(bias))) }
      contributions.append(
        (.mlp(layer: layer), along(recorded[first + architecture.layers + layer])))
    }
    if let bias = norm.bias {
      let value = zip(difference, bias.values).reduce(0) { $0 + $1.0 * Double($1.1) }
      contributions.append((.normBias, scale * value))
    }
    if let bias = model.weights.unembedding.bias {
      let value = Double(bias[answer]) - (versus.map { Double(bias[$0]) } ?? 0)
      contributions.append((.unembeddingBias, scale * value))
    }
    self.contributions = contributions
  }

  /// Rows of the unembedding: that of `answer`, less that of `versus`.
  private static func difference(
    _ answer: Int, _ versus: Int?, _ model: LanguageModel
  ) -> [Double] {
    func row(_ token: Int) -> [Double] {
      let width = model.architecture.width
      return [Float](unsafeUninitializedCapacity: width) { buffer, count in
        if let start = buffer.baseAddress {
          model.weights.unembedding.unpack(token..<token + 1, into: start)
        }
        count = width
      }.map(Double.init)
    }
    guard let versus else { return row(answer) }
    return zip(row(answer), row(versus)).map { $0 - $1 }
  }
}
