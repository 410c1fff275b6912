import TensorCore

/// Tokens behind a prompt, one by one.
///
/// Keys and values of what came before are kept (`RecordedRun`), so that a token costs a token.
public struct Generator {
  /// Why there are no more tokens.
  public enum End: String, Sendable {
    /// As many as were asked for.
    case count
    /// The model gave a token that ends its text, which is the last.
    case endToken = "end-token"
    /// The model takes no longer sequence.
    case context
  }

  private let engine: Engine
  private var run: RecordedRun
  private var logits: [Float]
  private var sampling: Sampling
  private let interventions: @Sendable (Int) -> [Intervention]
  private let promptLength: Int
  private let promptInterventions: [Intervention]
  /// The token that was chosen last, and is not part of the run yet.
  private var pending: Int?

  /// - Parameters:
  ///   - prompt: the result of a request that keeps its run, with all logits of its last position.
  ///   - promptInterventions: what acted on the prompt.
  ///   - interventions: what acts on the new token at a position.
  public init(
    _ engine: Engine, after prompt: ForwardResult, sampling: Sampling = .greedy,
    promptInterventions: [Intervention] = [],
    interventions: @escaping @Sendable (Int) -> [Intervention] = { _ in [] }
  ) throws {
    guard let run = prompt.run, let row = prompt.logits.last,
      row.logits.count == engine.model.architecture.vocabulary,
      row.position == run.tokens.count - 1
    else {
      throw UserError("the prompt's run was not kept", at: engine.model.path)
    }
    self.engine = engine
    self.run = run
    logits = row.logits
    self.sampling = sampling
    self.interventions = interventions
    self.promptInterventions = promptInterventions
    promptLength = run.tokens.count
  }

  /// Logits of the token that comes next, `[vocabulary]`.
  ///
  /// - Throws: `UserError` where the context is full, or activations overflow.
  public mutating func nextLogits() throws -> [Float] {
    guard let token = pending else { return logits }
    let architecture = engine.model.architecture
    let length = run.tokens.count
    var request = ForwardRequest(
      tokens: run.tokens + [token], base: run, interventions: interventions(length),
      logits: LogitRequest(tokens: .all))
    if architecture.rotaryRegime(length: length) == architecture.rotaryRegime(length: length + 1) {
      request.extendsBase = true
    } else {
      // All keys are rotated otherwise in the longer sequence.
      request.base = nil
      request.keepsRun = true
      request.interventions =
        promptInterventions + (promptLength...length).flatMap { interventions($0) }
    }
    let result = try engine.forward(request)
    guard let longer = result.run, let row = result.logits.last else { return logits }
    (run, logits, pending) = (longer, row.logits, nil)
    return logits
  }

  /// Whether the model takes another token behind the last.
  private var hasRoom: Bool {
    run.tokens.count + (pending == nil ? 0 : 1) <= engine.model.architecture.contextLength
  }

  /// Chooses up to `count` tokens.
  ///
  /// - Parameters:
  ///   - ends: tokens after which the text ends.
  ///   - each: called with every token as soon as it is chosen.
  /// - Returns: the tokens, and why they end.
  public mutating func generate(
    _ count: Int, until ends: Set<Int> = [], each: (Int) throws -> Void = { _ in }
  ) throws -> (tokens: [Int], end: End) {
    var tokens: [Int] = []
    while tokens.count < count {
      guard hasRoom else { return (tokens, .context) }
      let token = sampling.choose(try nextLogits())
      tokens.append(token)
      pending = token
      try each(token)
      if ends.contains(token) { return (tokens, .endToken) }
    }
    return (tokens, .count)
  }
}
