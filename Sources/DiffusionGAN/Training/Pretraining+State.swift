import TensorCore

extension Pretraining {
  /// Writes everything that a run needs to continue, as one safetensors file, whole or not at all.
  public func save(to path: String) throws {
    try TrainingState.write(
      [("weights", learner.weights), ("average", average.weights)],
      optimisers: [(nil, learner.optimiser)], metadata: NetworkFile.metadata(denoiser),
      seed: settings.seed, seen: seen, to: path)
  }

  /// A run as it was when `save` wrote it.
  ///
  /// - Throws: `UserError` if the file is not the state of a run of this network and seed.
  public init(
    _ denoiser: Denoiser, settings: Settings, on source: any PictureSource, resuming path: String
  ) throws {
    self.init(denoiser, settings: settings, on: source)
    let state = try TrainingState(path, network: denoiser.network, seed: settings.seed)
    learner = try state.learner(like: learner)
    average = try state.average("average", like: average)
    seen = try state.number("seen")
  }
}
