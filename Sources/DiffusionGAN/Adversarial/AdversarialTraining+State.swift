import TensorCore

extension AdversarialTraining {
  /// Writes everything that a run needs to continue, as one safetensors file, whole or not at all.
  public func save(to path: String) throws {
    try TrainingState.write(
      [("weights", generator.weights), ("average", average.weights)] + critic.sets,
      optimisers: [("generator", generator.optimiser), critic.owned],
      of: denoiser, seed: settings.seed, seen: seen, numbers: critic.numbers, to: path)
  }

  /// This run, which has not begun, continued from where it was when `save` wrote the file.
  ///
  /// - Throws: `UserError` if the file is not the state of a run like this one.
  public func resumed(from path: String) throws -> AdversarialTraining {
    let state = try TrainingState(path, network: denoiser.network, seed: settings.seed)
    return AdversarialTraining(
      denoiser, settings: settings,
      generator: try Learner(of: state, "weights", like: generator, owner: "generator"),
      critic: try critic.resumed(from: state),
      average: try state.parameters("average", like: average.weights),
      seen: try state.number("seen"))
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

  func resumed(from file: TrainingState) throws -> Critic {
    var critic = self
    critic.learner = try Learner(
      of: file, "\(Self.owner)/weights", like: learner, owner: Self.owner)
    critic.state = try file.parameters("\(Self.owner)/state", like: state)
    critic.probability = try file.number("augmentation_probability")
    return critic
  }
}

extension Learner {
  fileprivate init(
    of file: TrainingState, _ weights: String, like old: Learner, owner: String
  ) throws {
    self.init(
      weights: try file.parameters(weights, like: old.weights),
      optimiser: try file.optimiser(old.optimiser.settings, of: old.optimiser.means, owner: owner))
  }
}
