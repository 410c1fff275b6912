import Reports
import TensorCore
import Transformer

/// Everything that experiments share: the model, the seed, how prompts are made and measured.
public final class Laboratory {
  public let engine: Engine
  public let seed: UInt64
  /// Demonstrations of an episode.
  public let demonstrations: Int
  /// Put before every prompt, for models that expect it.
  public let beginToken: Int?
  /// Where experiments that fit something keep activations, beside the run's rows; nil outside a run.
  public var store: ActivationStore?
  /// Called within units that take minutes; may throw to stop there, which loses the unit and no other.
  public var watch: (() throws -> Void)?
  /// What verification has found so far.
  public private(set) var verified = Verification()
  /// What chooses the variants that are run again in full; nil for none.
  var verification: RandomStream?

  public init(engine: Engine, seed: UInt64, demonstrations: Int, beginToken: Int? = nil) {
    self.engine = engine
    self.seed = seed
    self.demonstrations = demonstrations
    self.beginToken = beginToken
  }

  func sampler(_ task: RuleTask) -> EpisodeSampler {
    EpisodeSampler(task: task, tokenizer: engine.model.tokenizer)
  }

  func episode(_ task: RuleTask, _ index: Int, _ split: Split, demonstrations: Int? = nil) throws
    -> Episode
  {
    try sampler(task).episode(
      index: index, split: split, demonstrations: demonstrations ?? self.demonstrations,
      seed: seed)
  }

  func prompt(_ episode: Episode, _ task: RuleTask) throws -> Prompt {
    try Prompt(
      episode, template: task.template, tokenizer: engine.model.tokenizer, beginToken: beginToken)
  }

  /// Request for the logits of `contrast` at the end of `tokens`, and what stands over the whole
  /// vocabulary.
  func request(
    _ tokens: [Int], base: RecordedRun? = nil, interventions: [Intervention] = [],
    contrast: Contrast, reference: Tensor? = nil
  ) -> ForwardRequest {
    ForwardRequest(
      tokens: tokens, base: base, interventions: interventions,
      logits: LogitRequest(
        tokens: .some([contrast.right, contrast.wrong] + contrast.others), summarises: true,
        reference: reference))
  }

  func measure(_ result: ForwardResult, _ contrast: Contrast) throws -> Measurement {
    guard let row = result.logits.last, let summary = row.summary,
      row.logits.count == contrast.others.count + 2
    else {
      throw UserError("a run gave no logits", at: engine.model.path)
    }
    return Measurement(
      logitDifference: row.logits[0] - row.logits[1],
      probability: Self.exponential(row.logits[0] - summary.logSumExp),
      isTop: summary.topToken == contrast.right,
      isRight: row.logits.dropFirst().allSatisfy { row.logits[0] > $0 },
      divergence: summary.divergence)
  }

  static func exponential(_ x: Float) -> Float { TensorCore.exponential(Lanes(repeating: x))[0] }

  /// Runs variants of recorded runs; where the unit is one that is verified, one of them also in
  /// full.
  func run(_ requests: [ForwardRequest]) throws -> [ForwardResult] {
    let results = try engine.forward(requests)
    if !requests.isEmpty, let choice = verification?.integer(below: requests.count) {
      verification = nil
      var whole = requests[choice]
      whole.base = nil
      let check = try engine.forward(whole)
      let deviation = zip(check.logits, results[choice].logits).reduce(Float(0)) { largest, pair in
        zip(pair.0.logits, pair.1.logits).reduce(largest) {
          // Not `max`, which loses what is not a number.
          let difference = abs($1.0 - $1.1)
          return difference <= $0 ? $0 : difference
        }
      }
      verified = verified.adding(Verification(variants: 1, largestDeviation: deviation))
    }
    return results
  }

  /// An edit that replaces the residual stream after block `layer` at `positions` by `rows`.
  static func patch(_ layer: Int, _ positions: [Int], _ rows: Tensor) -> Intervention {
    .edit(
      ActivationEdit(
        at: HookPoint(.residualPost, layer: layer), positions: positions,
        change: .replace(RowSource(rows))))
  }

  /// Tokens of a prompt like those of a run.
  public func typicalTokens(_ subject: Subject) throws -> Int {
    switch subject {
    case .task(let task): try prompt(try episode(task, 0, .heldOut), task).tokens.count
    case .pairs(let pairs):
      try pairs.pairs.first.map { try engine.model.tokenizer.encode($0.clean).count } ?? 1
    }
  }
}
