import TensorCore
import Transformer

/// Everything that experiments share: the model, the seed, how prompts are made and measured.
public final class Laboratory {
  public let engine: Engine
  public let seed: UInt64
  /// Demonstrations of an episode.
  public let demonstrations: Int
  /// Largest deviation found by verification, and of how many variants.
  public internal(set) var verified: (variants: Int, largestDeviation: Float) = (0, 0)

  public init(engine: Engine, seed: UInt64, demonstrations: Int) {
    self.engine = engine
    self.seed = seed
    self.demonstrations = demonstrations
  }

  func sampler(_ task: RuleTask) -> EpisodeSampler {
    EpisodeSampler(task: task, tokenizer: engine.model.tokenizer)
  }

  func episode(_ task: RuleTask, _ index: Int, _ split: Split) throws -> Episode {
    try sampler(task).episode(
      index: index, split: split, demonstrations: demonstrations, seed: seed)
  }

  func prompt(_ episode: Episode, _ task: RuleTask) throws -> Prompt {
    try Prompt(episode, template: task.template, tokenizer: engine.model.tokenizer)
  }

  /// The episode whose run is the donor.
  func source(_ donor: Probe.Donor, of episode: Episode, _ task: RuleTask) throws -> Episode {
    switch donor {
    case .clean: episode
    case .swappedSlots: try sampler(task).swappedSlots(of: episode)
    }
  }

  /// Request for the logits that `question` needs at the end of `tokens`.
  func request(
    _ tokens: [Int], base: RecordedRun? = nil, interventions: [Intervention] = [],
    contrast: Contrast, reference: Tensor? = nil
  ) -> ForwardRequest {
    ForwardRequest(
      tokens: tokens, base: base, interventions: interventions,
      logits: LogitRequest(
        tokens: .some([contrast.right, contrast.wrong]), summarises: true, reference: reference))
  }

  func measure(_ result: ForwardResult, _ contrast: Contrast) throws -> Measurement {
    guard let row = result.logits.last, let summary = row.summary, row.logits.count == 2 else {
      throw UserError("a run gave no logits", at: engine.model.path)
    }
    return Measurement(
      logitDifference: row.logits[0] - row.logits[1],
      probability: exponential(row.logits[0] - summary.logSumExp),
      isTop: summary.topToken == contrast.right, divergence: summary.divergence)
  }

  private func exponential(_ x: Float) -> Float { TensorCore.exponential(Lanes(repeating: x))[0] }

  /// Runs variants of recorded runs; one of them, drawn by `random`, also in full where
  /// `verifying`.
  func run(_ requests: [ForwardRequest], verifying random: inout RandomStream?) throws
    -> [ForwardResult]
  {
    let results = try engine.forward(requests)
    if random != nil, !requests.isEmpty, let choice = random?.integer(below: requests.count) {
      var whole = requests[choice]
      whole.base = nil
      let check = try engine.forward(whole)
      let deviation = zip(check.logits, results[choice].logits).reduce(Float(0)) { largest, pair in
        zip(pair.0.logits, pair.1.logits).reduce(largest) { max($0, abs($1.0 - $1.1)) }
      }
      verified = (verified.variants + 1, max(verified.largestDeviation, deviation))
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
}

/// A prompt that has been run: its activations and what it answers.
struct RecordedPrompt {
  let prompt: Prompt
  /// The prompt's tokens and the contrast's prefix.
  let tokens: [Int]
  let contrast: Contrast
  let run: RecordedRun
  let measurement: Measurement
  /// Log probabilities of the next token, `[vocabulary]`.
  let logProbabilities: Tensor

  /// Token positions of a group.
  func positions(_ group: Probe.PositionGroup) -> [Int] {
    switch group {
    case .answers: prompt.answerPositions
    case .inputs: prompt.inputPositions
    case .last: [prompt.lastPosition]
    }
  }
}

extension Laboratory {
  /// Runs the prompts of several episodes whole. All are asked for the same answer, that of
  /// `question`.
  func record(_ episodes: [Episode], _ task: RuleTask, question: Episode) throws -> [RecordedPrompt]
  {
    let prompts = try episodes.map { try prompt($0, task) }
    let contrasts = try prompts.map {
      try $0.contrast(right: question.right, wrong: question.wrong)
    }
    let tokens = zip(prompts, contrasts).map { $0.tokens + $1.prefix }
    let results = try engine.forward(
      tokens.map {
        ForwardRequest(
          tokens: $0, logits: LogitRequest(tokens: .all, summarises: true), keepsRun: true)
      })
    return try results.indices.map { index in
      guard let run = results[index].run, let row = results[index].logits.first,
        let summary = row.summary
      else { throw UserError("a run gave no logits", at: engine.model.path) }
      let contrast = contrasts[index]
      let right = row.logits[contrast.right]
      return RecordedPrompt(
        prompt: prompts[index], tokens: tokens[index], contrast: contrast, run: run,
        measurement: Measurement(
          logitDifference: right - row.logits[contrast.wrong],
          probability: exponential(right - summary.logSumExp),
          isTop: summary.topToken == contrast.right),
        logProbabilities: Tensor(
          row.logits.map { $0 - summary.logSumExp }, shape: [row.logits.count]))
    }
  }
}

extension Laboratory {
  /// A prompt like those of a run, to see its length and roles.
  public func samplePrompt(_ task: RuleTask) throws -> Prompt {
    try prompt(try episode(task, 0, .heldOut), task)
  }
}
