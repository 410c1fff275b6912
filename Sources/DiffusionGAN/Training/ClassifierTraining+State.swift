import TensorCore

extension ClassifierTraining {
  public func save(to path: String) throws {
    try TrainingState.write(
      [("weights", learner.weights)], optimisers: [(nil, learner.optimiser)],
      metadata: Classifier.metadata(network), seed: settings.seed, seen: seen, to: path)
  }

  /// A run as it was when `save` wrote it.
  ///
  /// - Throws: `UserError` if the file is not the state of a run of this classifier and seed.
  public init(
    _ network: ClassifierNetwork, settings: Settings, on data: ImageDataset,
    test: ImageDataset? = nil, resuming path: String
  ) throws {
    try self.init(network, settings: settings, on: data, test: test)
    let state = try TrainingState(path, seed: settings.seed, of: "classifier") {
      try Classifier.configuration(of: $0) == network.configuration
    }
    learner = try state.learner(like: learner)
    seen = try state.number("seen")
  }
}
