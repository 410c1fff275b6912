import TensorCore

extension Pretraining {
  /// Writes everything that a run needs to continue, as one safetensors file, whole or not at all.
  public func save(to path: String) throws {
    let arrays =
      weights.arrays(prefix: "weights/") + average.weights.arrays(prefix: "average/")
      + optimiser.means.arrays(prefix: "means/") + optimiser.squares.arrays(prefix: "squares/")
    var metadata = NetworkFile.metadata(denoiser)
    metadata["seed"] = "\(settings.seed)"
    metadata["seen"] = "\(seen)"
    metadata["steps"] = "\(optimiser.steps)"
    try Safetensors.write(arrays, metadata: metadata, to: path)
  }

  /// A run as it was when `save` wrote it.
  ///
  /// - Throws: `UserError` if the file is not the state of a run of this network and seed.
  public init(_ denoiser: Denoiser, settings: Settings, resuming path: String) throws {
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
    let network = denoiser.network
    guard try NetworkFile.configuration(of: file) == network.configuration else {
      throw UserError(
        "belongs to a run of another network", at: path,
        remedy: "continue with the same network or begin a new run")
    }
    let names = Set(network.trainableNames)
    func moments(_ prefix: String, like weights: Parameters) throws -> Parameters {
      let found = try Parameters(file, prefix: prefix)
      return try weights.filter(names.contains).map { name, weight in
        guard found.contains(name), found[name].shape == weight.shape else {
          throw UserError(
            "\"\(prefix)\(name)\" is missing or has another shape", at: path,
            remedy: "give the state of this run")
        }
        return found[name]
      }
    }
    let weights = try network.parameters(from: Parameters(file, prefix: "weights/"), at: path)
    let average = try network.parameters(from: Parameters(file, prefix: "average/"), at: path)
    self.init(
      denoiser, settings: settings, weights: weights,
      average: MovingAverage(
        average, halfLife: settings.halfLife, rampUp: settings.halfLifeRampUp),
      optimiser: Adam(
        settings: settings.adam, steps: Int(try number("steps")),
        means: try moments("means/", like: weights),
        squares: try moments("squares/", like: weights)), seen: Int(try number("seen")))
  }
}
