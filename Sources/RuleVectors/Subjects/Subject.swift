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

  /// The task, where it has classes and labels; else the reason why not.
  func categorization() -> Result<RuleTask, SkipReason> {
    switch self {
    case .pairs:
      return .failure(SkipReason("pairs of prompts have no episodes; use a grid"))
    case .task(let task) where task.family == .mapping:
      return .failure(SkipReason(FlippedRule.needsCategorization))
    case .task(let task): return .success(task)
    }
  }
}

/// Why an experiment does not run on a subject.
struct SkipReason: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
