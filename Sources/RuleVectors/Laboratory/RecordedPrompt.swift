import TensorCore
import Transformer

/// Which positions of a prompt are patched together.
public enum PositionGroup: String, Sendable, CaseIterable {
  /// The last token of every demonstration's answer.
  case answers
  /// The last token of every demonstration's input: as many positions, a control.
  case inputs
  /// The position whose logits are read: the prompt's last, or, where both answers begin with the
  /// same tokens, the last of these.
  case last
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

  /// The position whose logits are read.
  var lastPosition: Int { tokens.count - 1 }

  /// Token positions of a group.
  func positions(_ group: PositionGroup) -> [Int] {
    switch group {
    case .answers: prompt.answerPositions
    case .inputs: prompt.inputPositions
    case .last: [lastPosition]
    }
  }
}

extension Laboratory {
  /// Runs the prompts of several episodes whole. All are asked for the same answer, that of
  /// `question`.
  func record(_ episodes: [Episode], _ task: RuleTask, question: Episode) throws
    -> [RecordedPrompt]
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
          probability: Self.exponential(right - summary.logSumExp),
          isTop: summary.topToken == contrast.right,
          isRight: ([contrast.wrong] + contrast.others).allSatisfy { right > row.logits[$0] }),
        logProbabilities: Tensor(
          row.logits.map { $0 - summary.logSumExp }, shape: [row.logits.count]))
    }
  }
}
