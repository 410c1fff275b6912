import TensorCore

extension AdversarialTraining {
  /// Writes everything that a run needs to continue, as one safetensors file, whole or not at all.
  public func save(to path: String) throws {
    try TrainingState.write(
      [
        ("weights", generator.weights), ("average", average.weights),
        ("discriminator/weights", critic.weights), ("discriminator/state", criticState),
      ],
      optimisers: [("generator", generator.optimiser), ("discriminator", critic.optimiser)],
      of: denoiser, seed: settings.seed, seen: seen,
      numbers: ["augmentation_probability": probability], to: path)
  }

  /// This run, which has not begun, continued from where it was when `save` wrote the file.
  ///
  /// - Throws: `UserError` if the file is not the state of a run like this one.
  public func resumed(from path: String) throws -> AdversarialTraining {
    let state = try TrainingState(path, network: denoiser.network, seed: settings.seed)
    func learner(_ old: Learner, _ weights: String, _ owner: String) throws -> Learner {
      Learner(
        weights: try state.parameters(weights, like: old.weights),
        optimiser: try state.optimiser(
          old.optimiser.settings, of: old.optimiser.means, owner: owner))
    }
    return AdversarialTraining(
      denoiser, discriminator, settings: settings,
      generator: try learner(generator, "weights", "generator"),
      critic: try learner(critic, "discriminator/weights", "discriminator"),
      criticState: try state.parameters("discriminator/state", like: criticState),
      average: try state.parameters("average", like: average.weights),
      seen: try state.number("seen"),
      probability: try state.number("augmentation_probability"))
  }
}
