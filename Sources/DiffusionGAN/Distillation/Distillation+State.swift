import TensorCore

extension Distillation {
  /// Writes everything that a run needs to continue, as one safetensors file, whole or not at all.
  public func save(to path: String) throws {
    var sets = [("weights", weights), ("average", average.weights)]
    if let target { sets.append(("target", target.weights)) }
    if task.method == .progressive { sets.append(("teacher", stageTeacher)) }
    let numbers: [String: any LosslessStringConvertible] = [
      "stage": stage, "stage_start": stageStart,
    ]
    try TrainingState.write(
      sets + (adversary?.critic.sets ?? []),
      optimisers: [(nil, optimiser)] + (adversary.map { [$0.critic.owned] } ?? []), of: student,
      seed: settings.seed, seen: seen,
      numbers: numbers.merging(adversary?.critic.numbers ?? [:]) { own, _ in own }, to: path)
  }

  /// A run as it was when `save` wrote it.
  ///
  /// - Throws: `UserError` if the file is not the state of a run of this network, seed and method.
  public init(
    of teacher: NetworkFile, task: DistillationTask, settings: Settings,
    adversary: DistillationAdversary? = nil, resuming path: String
  ) throws {
    self.init(of: teacher, task: task, settings: settings, adversary: adversary)
    let state = try TrainingState(path, network: student.network, seed: settings.seed)
    func averaged(_ name: String, like old: MovingAverage) throws -> MovingAverage {
      MovingAverage(
        try state.parameters(name, like: old.weights), halfLife: old.halfLife, rampUp: old.rampUp)
    }
    weights = try state.parameters("weights", like: weights)
    average = try averaged("average", like: average)
    target = try target.map { try averaged("target", like: $0) }
    if task.method == .progressive {
      stageTeacher = try state.parameters("teacher", like: stageTeacher)
    }
    if let critic = try self.adversary?.critic.resumed(from: state) {
      self.adversary?.critic = critic
    }
    optimiser = try state.optimiser(settings.adam, of: optimiser.means)
    stage = try state.number("stage")
    stageStart = try state.number("stage_start")
    seen = try state.number("seen")
  }
}
