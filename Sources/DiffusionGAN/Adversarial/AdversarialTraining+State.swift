import TensorCore

extension AdversarialTraining {
  private static let kind = "adversarial"

  /// Writes everything that a run needs to continue, as one safetensors file, whole or not at all.
  public func save(to path: String) throws {
    var arrays = average.weights.arrays(prefix: "average/")
    for (name, learner) in [("generator", generator), ("discriminator", critic)] {
      arrays += learner.weights.arrays(prefix: "\(name)/weights/")
      arrays += learner.optimiser.means.arrays(prefix: "\(name)/means/")
      arrays += learner.optimiser.squares.arrays(prefix: "\(name)/squares/")
    }
    arrays += criticState.arrays(prefix: "discriminator/state/")
    var metadata = NetworkFile.metadata(denoiser)
    metadata["kind"] = Self.kind
    metadata["seed"] = "\(settings.seed)"
    metadata["seen"] = "\(seen)"
    metadata["generator_steps"] = "\(generator.optimiser.steps)"
    metadata["discriminator_steps"] = "\(critic.optimiser.steps)"
    metadata["augmentation_probability"] = "\(probability)"
    try Safetensors.write(arrays, metadata: metadata, to: path)
  }

  /// This run, which has not begun, continued from where it was when `save` wrote the file.
  ///
  /// - Throws: `UserError` if the file is not the state of a run like this one.
  public func resumed(from path: String) throws -> AdversarialTraining {
    let file = try SafetensorsFile(path)
    func number<Number: LosslessStringConvertible>(_ key: String) throws -> Number {
      guard file.metadata["kind"] == Self.kind,
        let value = file.metadata[key].flatMap({ Number($0) })
      else {
        throw UserError(
          "is not the state of an adversarial run", at: path, remedy: "give the state of this run")
      }
      return value
    }
    let seed: UInt64 = try number("seed")
    guard seed == settings.seed else {
      throw UserError(
        "belongs to a run with seed \(seed), not \(settings.seed)", at: path,
        remedy: "continue with the same seed or begin a new run")
    }
    func read(_ prefix: String, like old: Parameters) throws -> Parameters {
      let found = try Parameters(file, prefix: prefix)
      return try old.map { name, tensor in
        guard found.contains(name), found[name].shape == tensor.shape else {
          throw UserError(
            "\"\(prefix)\(name)\" is missing or has another shape", at: path,
            remedy: "give the state of this run")
        }
        return found[name]
      }
    }
    func learner(_ name: String, _ old: Learner) throws -> Learner {
      Learner(
        weights: try read("\(name)/weights/", like: old.weights),
        optimiser: Adam(
          settings: old.optimiser.settings, steps: try number("\(name)_steps"),
          means: try read("\(name)/means/", like: old.optimiser.means),
          squares: try read("\(name)/squares/", like: old.optimiser.squares)))
    }
    return AdversarialTraining(
      denoiser, discriminator, settings: settings,
      generator: try learner("generator", generator),
      critic: try learner("discriminator", critic),
      criticState: try read("discriminator/state/", like: criticState),
      average: try read("average/", like: average.weights), seen: try number("seen"),
      probability: try number("augmentation_probability"))
  }
}
