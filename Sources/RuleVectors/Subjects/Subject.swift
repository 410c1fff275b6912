/// What a run's prompts are made from.
public enum Subject: Sendable {
  /// Episodes of a task.
  case task(RuleTask)
  /// A user's own pairs of prompts.
  case pairs(PromptPairs)

  public var name: String {
    switch self {
    case .task(let task): task.name
    case .pairs(let pairs): pairs.name
    }
  }

  /// SHA-256 of what it is read from.
  public var digest: String {
    switch self {
    case .task(let task): task.digest
    case .pairs(let pairs): pairs.digest
    }
  }

  /// The task, for experiments that draw episodes.
  var task: RuleTask? {
    if case .task(let task) = self { task } else { nil }
  }

  /// The task, where its prompts under the flipped rule can be patched from `donors`; else the reason
  /// why not.
  func task(patchedFrom donors: [Donor]) -> Result<RuleTask, SkipReason> {
    switch self {
    case .pairs:
      return .failure(SkipReason("pairs of prompts have no episodes; use a grid"))
    case .task(let task) where !task.hasOtherRules:
      return .failure(SkipReason(FlippedRule.isMissing(task.kind)))
    case .task(let task) where donors.contains(.swappedSlots) && task.kind != .categorization:
      return .failure(
        SkipReason("a \(task.kind.rawValue) task has no classes whose slots could be swapped"))
    case .task(let task): return .success(task)
    }
  }
}

/// Why an experiment does not run on a subject.
struct SkipReason: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
