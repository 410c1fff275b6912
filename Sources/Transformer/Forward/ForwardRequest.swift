import TensorCore

/// One sequence through the model: what goes in, what is changed, what is wanted.
public struct ForwardRequest: Sendable {
  public var tokens: [Int]
  /// A full run whose activations are reused wherever they cannot differ; it may be of another
  /// sequence with the same beginning. It should be a run without interventions: one that was kept
  /// from an edited run is taken as it is, and edits that add or scale come on top of its own.
  public var base: RecordedRun?
  /// Applied in order.
  public var interventions: [Intervention]
  public var recordings: [Recording]
  public var logits: LogitRequest
  /// Whether the result holds a `RecordedRun`; computes all rows.
  public var keepsRun: Bool
  /// Whether the result holds `base` with the tokens behind it, which alone are computed, whatever
  /// `base` was recorded with. Nothing may be changed, recorded or read before them.
  public var extendsBase = false

  public init(
    tokens: [Int], base: RecordedRun? = nil, interventions: [Intervention] = [],
    recordings: [Recording] = [], logits: LogitRequest = LogitRequest(), keepsRun: Bool = false
  ) {
    self.tokens = tokens
    self.base = base
    self.interventions = interventions
    self.recordings = recordings
    self.logits = logits
    self.keepsRun = keepsRun
  }
}

/// Which activations to keep.
public struct Recording: Sendable {
  public let hook: HookPoint
  /// Ascending positions; nil for all.
  public let positions: [Int]?

  public init(_ hook: HookPoint, positions: [Int]? = nil) {
    self.hook = hook
    self.positions = positions?.sorted()
  }
}

/// Which logits to compute.
public struct LogitRequest: Sendable {
  public enum Tokens: Sendable {
    /// The whole vocabulary.
    case all
    /// These ids, in this order.
    case some([Int])
  }

  /// Positions whose next-token logits are wanted; nil for the last, empty for none.
  public var positions: [Int]?
  public var tokens: Tokens
  /// Whether the whole vocabulary is reduced to its largest logit and `log Σ exp`.
  public var summarises: Bool
  /// Log probabilities over the vocabulary, `[vocabulary]`, to take the divergence from.
  public var reference: Tensor?

  public init(
    positions: [Int]? = nil, tokens: Tokens = .some([]), summarises: Bool = false,
    reference: Tensor? = nil
  ) {
    self.positions = positions
    self.tokens = tokens
    self.summarises = summarises
    self.reference = reference
  }

  public static let none = LogitRequest(positions: [])

  /// Whether the logits of the whole vocabulary must be computed.
  var isWhole: Bool {
    if case .some = tokens, !summarises, reference == nil { return false }
    return true
  }
}

/// Next-token logits of one position.
public struct LogitRow: Sendable {
  public struct Summary: Sendable {
    /// The token with the largest logit.
    public let topToken: Int
    public let topLogit: Float
    /// `log Σ exp` over the vocabulary: a logit minus this is a log probability.
    public let logSumExp: Float
    /// KL(reference ‖ this) in nats, where a reference was given.
    public let divergence: Float?
  }

  public let position: Int
  /// As asked for: the whole vocabulary, or the listed ids in their order.
  public let logits: [Float]
  public let summary: Summary?
  /// Of a row of the whole vocabulary.
  var lease: ActivationMemory.Lease?
}

/// What came of one request.
public struct ForwardResult: Sendable {
  public internal(set) var logits: [LogitRow] = []
  /// One tensor a recording, in the request's order: `[positions, site width]`, or `[positions,
  /// heads, keys]` for scores and patterns.
  public internal(set) var recorded: [Tensor] = []
  public internal(set) var run: RecordedRun?
}
