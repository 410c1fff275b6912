import TensorCore
import Transformer

extension Laboratory {
  /// Checks a task in its format: its answers' tokens, and accuracy by demonstrations on held-out
  /// episodes.
  ///
  /// - Parameters:
  ///   - digest: SHA-256 of the model.
  ///   - watch: called with the number of demonstrations before each is run; may throw to stop there.
  /// - Throws: `UserError` of the engine. What the task does not allow is left out and said.
  public func check(
    _ task: RuleTask, setting: TaskCheck.Setting, digest: String, watch: (Int) throws -> Void
  ) throws -> TaskCheck.Result {
    var points: [TaskCheck.Point] = []
    var leftOut: [TaskCheck.Result.LeftOut] = []
    for shots in setting.shots {
      try watch(shots)
      let asked: [Question]
      do {
        asked = try questions(task, 0..<setting.episodes, .heldOut, demonstrations: shots)
      } catch let error as UserError {
        leftOut.append(TaskCheck.Result.LeftOut(shots: shots, reason: error.description))
        continue
      }
      let starts = stride(from: 0, to: asked.count, by: ShotCurve.batch)
      let rows = try starts.flatMap { start in
        try answers(Array(asked[start...].prefix(ShotCurve.batch)))
      }
      points.append(
        TaskCheck.Point(
          shots: shots, episodes: rows.count, candidates: rows.map(\.candidates).max() ?? 2,
          right: rows.count(where: \.measurement.isRight),
          first: rows.count(where: \.measurement.isTop)))
    }
    return TaskCheck.Result(
      task: task.name, digest: task.digest, format: task.format.name, model: engine.model.name,
      modelDigest: digest, setting: setting, answers: try? answers(of: task), points: points,
      leftOut: leftOut)
  }

  /// The tokens of every answer that the task can ask for, as they follow a query.
  func answers(of task: RuleTask) throws -> TaskCheck.Answers {
    let episode = try episode(task, 0, .heldOut, demonstrations: 0)
    let prompt = try prompt(episode, task)
    let tokens = try task.answers.map { try prompt.continuation(task.template.lead + $0) }
    let counts = tokens.map(\.count)
    let first = Dictionary(tokens.compactMap(\.first).map { ($0, 1) }, uniquingKeysWith: +)
    return TaskCheck.Answers(
      count: tokens.count, fewestTokens: counts.min() ?? 0, mostTokens: counts.max() ?? 0,
      meanTokens: Double(counts.reduce(0, +)) / Double(max(counts.count, 1)),
      collisions: first.values.filter { $0 > 1 }.reduce(0, +))
  }
}

extension RuleTask {
  /// Every text that can be an answer, each once, in the order of the file.
  var answers: [String] {
    let all: [String] =
      switch items {
      case .categorization(_, let labels): labels
      case .mapping(let pairs): pairs.map(\.answer)
      case .bijection(let pairs): pairs.flatMap { [$0.answer, $0.input] }
      case .linear(let numbers):
        numbers.rules.flatMap { rule in numbers.inputs.map { String(rule($0)) } }
      }
    var seen: Set<String> = []
    return all.filter { seen.insert($0).inserted }
  }
}
