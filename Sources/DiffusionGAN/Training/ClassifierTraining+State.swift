import TensorCore

extension ClassifierTraining {
  public func save(to path: String) throws {
    let arrays =
      weights.arrays(prefix: "weights/") + optimiser.means.arrays(prefix: "means/")
      + optimiser.squares.arrays(prefix: "squares/")
    var metadata = Classifier.metadata(network)
    metadata["seed"] = "\(settings.seed)"
    metadata["seen"] = "\(seen)"
    metadata["steps"] = "\(optimiser.steps)"
    try Safetensors.write(arrays, metadata: metadata, to: path)
  }

  /// A run as it was when `save` wrote it.
  ///
  /// - Throws: `UserError` if the file is not the state of a run of this classifier and seed.
  public init(
    _ network: ClassifierNetwork, settings: Settings, on data: ImageDataset,
    test: ImageDataset? = nil, resuming path: String
  ) throws {
    let file = try SafetensorsFile(path)
    func number(_ key: String) throws -> UInt64 {
      guard let value = file.metadata[key].flatMap({ UInt64($0) }) else {
        throw UserError(
          "is not the state of a training run", at: path, remedy: "give the state of this run")
      }
      return value
    }
    guard try number("seed") == settings.seed else {
      throw UserError(
        "belongs to a run with seed \(try number("seed")), not \(settings.seed)", at: path,
        remedy: "continue with the same seed or begin a new run")
    }
    guard try Classifier.configuration(of: file) == network.configuration else {
      throw UserError(
        "belongs to a run of another classifier", at: path,
        remedy: "continue with the same classifier or begin a new run")
    }
    func read(_ prefix: String) throws -> Parameters {
      try network.specifications.parameters(from: Parameters(file, prefix: prefix), at: path)
    }
    try self.init(
      network, settings: settings, weights: read("weights/"),
      optimiser: Adam(
        settings: settings.adam, steps: Int(number("steps")), means: read("means/"),
        squares: read("squares/")),
      seen: Int(number("seen")), on: data, test: test)
  }
}
