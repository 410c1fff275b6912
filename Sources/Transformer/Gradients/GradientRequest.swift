import TensorCore

/// A number at the end of a sequence, and where its derivatives are wanted.
public struct GradientRequest: Sendable {
  /// What is differentiated, of the last position's next-token logits.
  public enum Objective: Sendable {
    /// logit(right) − logit(wrong).
    case logitDifference(right: Int, wrong: Int)
    /// log softmax over the vocabulary; minus the cross entropy, in nats.
    case logProbability(Int)
  }

  /// A residual stream that a pass begins with, in place of the model's own.
  public struct Start: Sendable {
    /// Before this block.
    public var layer: Int
    /// `[positions, width]`, the last rows of the sequence; what is before them is `base`'s.
    public var rows: Tensor

    public init(layer: Int, rows: Tensor) {
      self.layer = layer
      self.rows = rows
    }
  }

  public var tokens: [Int]
  public var objective: Objective
  /// A full run of the tokens. Without a start its residual stream is what derivatives are taken at,
  /// with the interventions that it was recorded with; with one its keys and values stand before it.
  public var base: RecordedRun?
  public var start: Start?
  /// Where derivatives are wanted.
  public var hooks: [HookPoint]

  public init(
    tokens: [Int], objective: Objective, base: RecordedRun? = nil, start: Start? = nil,
    hooks: [HookPoint]
  ) {
    self.tokens = tokens
    self.objective = objective
    self.base = base
    self.start = start
    self.hooks = hooks
  }

  /// First position whose derivatives are computed.
  public var firstPosition: Int { start.map { tokens.count - $0.rows.rows } ?? 0 }
}

/// What came of a request.
public struct GradientResult: Sendable {
  public internal(set) var value: Float
  /// One tensor a hook point, in the request's order: `[positions, site width]` of the positions from
  /// the first on, or `[heads, positions, keys]` of scores and patterns.
  ///
  /// That of a pattern is by each weight with all others held: weights that do not sum to 1 any more.
  public internal(set) var gradients: [Tensor]
}

extension HookPoint.Site {
  /// Whether derivatives by this site's values are kept.
  var hasGradient: Bool {
    switch self {
    case .embedding, .residualPre, .query, .key, .value, .rotatedQuery, .rotatedKey, .scores,
      .pattern, .headOutput, .attentionOutput, .residualMiddle, .hiddenPre, .hiddenLinear, .hidden,
      .mlpOutput, .residualPost:
      true
    case .positionEmbedding, .attentionNormScale, .attentionNormalized, .headResult,
      .mlpNormScale, .mlpNormalized, .finalNormScale, .finalNormalized:
      false
    }
  }

  static var withGradient: [Self] { allCases.filter(\.hasGradient) }
}
