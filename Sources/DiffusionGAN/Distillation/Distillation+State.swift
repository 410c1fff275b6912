import TensorCore

extension Distillation {
  /// Writes everything that a run needs to continue, as one safetensors file, whole or not at all.
  public func save(to path: String) throws {
    var sets = [("weights", weights), ("average", average.weights)]
    if let target { sets.append(("target", target.weights)) }
    if task.method == .progressive { sets.append(("teacher", stageTeacher)) }
    try TrainingState.write(
      sets, optimisers: [(nil, optimiser)], of: student, seed: settings.seed, seen: seen,
      numbers: ["stage": stage, "stage_start": stageStart], to: path)
  }

  /// A run as it was when `save` wrote it.
  ///
  /// - Throws: `UserError` if the file is not the state of a run of this network, seed and method.
  public init(
    of teacher: NetworkFile, task: DistillationTask, settings: Settings, resuming path: String
  ) throws {
    self.init(of: teacher, task: task, settings: settings)
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
    optimiser = try state.optimiser(settings.adam, of: optimiser.means)
    stage = try state.number("stage")
    stageStart = try state.number("stage_start")
    seen = try state.number("seen")
  }
}
