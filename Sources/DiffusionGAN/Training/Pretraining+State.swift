import TensorCore

extension Pretraining {
  /// Writes everything that a run needs to continue, as one safetensors file, whole or not at all.
  public func save(to path: String) throws {
    try TrainingState.write(
      [("weights", weights), ("average", average.weights)], optimisers: [(nil, optimiser)],
      of: denoiser, seed: settings.seed, seen: seen, to: path)
  }

  /// A run as it was when `save` wrote it.
  ///
  /// - Throws: `UserError` if the file is not the state of a run of this network and seed.
  public init(_ denoiser: Denoiser, settings: Settings, resuming path: String) throws {
    let state = try TrainingState(path, network: denoiser.network, seed: settings.seed)
    let start = Pretraining(denoiser, settings: settings)
    let weights = try state.parameters("weights", like: start.weights)
    let average = try state.parameters("average", like: start.weights)
    self.init(
      denoiser, settings: settings, weights: weights,
      average: MovingAverage(
        average, halfLife: settings.halfLife, rampUp: settings.halfLifeRampUp),
      optimiser: try state.optimiser(settings.adam, of: start.optimiser.means),
      seen: try state.number("seen"))
  }
}
