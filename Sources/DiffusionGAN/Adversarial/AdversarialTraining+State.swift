import TensorCore

extension AdversarialTraining {
  /// Writes everything that a run needs to continue, as one safetensors file, whole or not at all.
  public func save(to path: String) throws {
    try TrainingState.write(
      [("weights", learner.weights), ("average", average.weights)] + critic.sets,
      optimisers: [("generator", learner.optimiser), critic.owned],
      metadata: NetworkFile.metadata(denoiser), seed: settings.seed, seen: seen,
      numbers: critic.numbers, to: path)
  }

  /// This run, which has not begun, continued from where it was when `save` wrote the file.
  ///
  /// - Throws: `UserError` if the file is not the state of a run like this one.
  public func resumed(from path: String) throws -> AdversarialTraining {
    let state = try TrainingState(path, network: denoiser.network, seed: settings.seed)
    var run = self
    run.learner = try state.learner(like: learner, owner: "generator")
    run.average = try state.average("average", like: average)
    run.seen = try state.number("seen")
    try run.critic.resume(from: state)
    return run
  }
}

/// A discriminator's part of a run's state.
extension Critic {
  private static let owner = "discriminator"

  var sets: [(name: String, parameters: Parameters)] {
    [("\(Self.owner)/weights", learner.weights), ("\(Self.owner)/state", state)]
  }

  var owned: (owner: String?, adam: Adam) { (Self.owner, learner.optimiser) }

  var numbers: [String: any LosslessStringConvertible] {
    ["augmentation_probability": probability]
  }

  mutating func resume(from file: TrainingState) throws {
    learner = try file.learner("\(Self.owner)/weights", like: learner, owner: Self.owner)
    state = try file.parameters("\(Self.owner)/state", like: state)
    probability = try file.number("augmentation_probability")
  }
}
