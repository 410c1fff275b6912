import TensorCore

extension Distillation {
  /// Writes everything that a run needs to continue, as one safetensors file, whole or not at all.
  public func save(to path: String) throws {
    var sets = [("weights", learner.weights), ("average", average.weights)]
    if let target { sets.append(("target", target.weights)) }
    if settings.method == .progressive { sets.append(("teacher", stageTeacher)) }
    let numbers: [String: any LosslessStringConvertible] = [
      "stage": stage, "stage_start": stageStart,
    ]
    try TrainingState.write(
      sets + (critic?.sets ?? []),
      optimisers: [(nil, learner.optimiser)] + (critic.map { [$0.owned] } ?? []),
      metadata: NetworkFile.metadata(student), seed: settings.seed, seen: seen,
      numbers: numbers.merging(critic?.numbers ?? [:]) { own, _ in own }, to: path)
  }

  /// This run, which has not begun, continued from where it was when `save` wrote the file.
  ///
  /// - Throws: `UserError` if the file is not the state of a run like this one.
  public func resumed(from path: String) throws -> Distillation {
    let state = try TrainingState(path, network: student.network, seed: settings.seed)
    var run = self
    run.learner = try state.learner(like: learner)
    run.average = try state.average("average", like: average)
    run.target = try target.map { try state.average("target", like: $0) }
    if settings.method == .progressive {
      run.stageTeacher = try state.parameters("teacher", like: stageTeacher)
    }
    try run.critic?.resume(from: state)
    run.stage = try state.number("stage")
    run.stageStart = try state.number("stage_start")
    run.seen = try state.number("seen")
    return run
  }
}
