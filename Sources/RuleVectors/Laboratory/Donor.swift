/// Where patched activations come from.
public enum Donor: String, Sendable, CaseIterable {
  /// The episode's own run under its rule.
  case clean
  /// The same rule, but each slot holds an item of another class: labels as in the flipped
  /// prompt, so that copying a label and following the rule predict opposite answers.
  case swappedSlots = "swapped-slots"

  /// For sentences: "the clean run".
  var words: String {
    switch self {
    case .clean: "the clean run"
    case .swappedSlots: "the run with the same labels"
    }
  }
}

/// Which run is patched with which.
public enum Direction: String, Sendable, CaseIterable {
  /// Sufficiency: do the donor's activations bring its rule?
  case donorIntoRecipient = "donor-into-recipient"
  /// Necessity: does the donor's run lose its rule with the recipient's activations?
  case recipientIntoDonor = "recipient-into-donor"
}

/// A donor's run and the same prompt under the flipped rule.
struct PatchedPair {
  let donor: RecordedPrompt
  let recipient: RecordedPrompt

  func outcome(_ measurement: Measurement) -> Outcome {
    Outcome(
      patched: measurement, donor: donor.measurement.logitDifference,
      recipient: recipient.measurement.logitDifference)
  }
}

extension Laboratory {
  /// The episode whose run is the donor.
  func source(_ donor: Donor, of episode: Episode, _ task: RuleTask) throws -> Episode {
    switch donor {
    case .clean: episode
    case .swappedSlots: try sampler(task).swappedSlots(of: episode)
    }
  }

  /// Runs the donor and the flipped prompt of an episode.
  func pair(_ donor: Donor, _ episode: Episode, _ task: RuleTask) throws -> PatchedPair {
    let recorded = try record(
      [try source(donor, of: episode, task), try episode.flippedRule()], task, question: episode)
    return PatchedPair(donor: recorded[0], recipient: recorded[1])
  }

  /// Draws what `pair` draws, without running anything.
  func check(_ donor: Donor, _ episode: Episode, _ task: RuleTask) throws {
    for drawn in [try source(donor, of: episode, task), try episode.flippedRule()] {
      _ = try prompt(drawn, task).contrast(right: episode.right, wrong: episode.wrong)
    }
  }
}

/// Why experiments that flip the rule say nothing of a mapping or bijection.
enum FlippedRule {
  static func isMissing(_ kind: RuleTask.Kind) -> String {
    "a \(kind.rawValue) has no other rule: with other pairs' answers in the demonstrations the "
      + "query's right answer stays what it was"
  }
}
