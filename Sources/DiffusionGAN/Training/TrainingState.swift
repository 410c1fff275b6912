import TensorCore

/// The state of a training run on disk, one safetensors file: sets of parameters under a prefix each,
/// the optimiser's moments, and numbers as metadata.
struct TrainingState {
  private let file: SafetensorsFile

  /// Opens the state of a run of this network and seed.
  ///
  /// - Parameters:
  ///   - what: the network as messages call it.
  ///   - isOf: whether the file is of the same network.
  /// - Throws: `UserError` if it is not.
  init(
    _ path: String, seed: UInt64, of what: String = "network",
    _ isOf: (SafetensorsFile) throws -> Bool
  ) throws {
    file = try SafetensorsFile(path)
    let found: UInt64 = try number("seed")
    guard found == seed else {
      throw UserError(
        "belongs to a run with seed \(found), not \(seed)", at: path,
        remedy: "continue with the same seed or begin a new run")
    }
    guard try isOf(file) else {
      throw UserError(
        "belongs to a run of another \(what)", at: path,
        remedy: "continue with the same \(what) or begin a new run")
    }
  }

  init(_ path: String, network: UNet, seed: UInt64) throws {
    try self.init(path, seed: seed) {
      try NetworkFile.configuration(of: $0) == network.configuration
    }
  }

  func number<Number: LosslessStringConvertible>(_ key: String) throws -> Number {
    guard let value = file.metadata[key].flatMap({ Number($0) }) else {
      throw UserError(
        "is not the state of such a training run", at: file.path,
        remedy: "give the state of this run")
    }
    return value
  }

  /// The set called `name`, with the names, order and shapes of `model`.
  func parameters(_ name: String, like model: Parameters) throws -> Parameters {
    let found = try Parameters(file, prefix: "\(name)/")
    return try model.map { key, tensor in
      guard found.contains(key), found[key].shape == tensor.shape else {
        throw UserError(
          "\"\(name)/\(key)\" is missing or has another shape", at: file.path,
          remedy: "give the state of this run")
      }
      return found[key]
    }
  }

  /// A learner like `model`.
  ///
  /// - Parameters:
  ///   - weights: name of their set.
  ///   - owner: whose optimiser it is, in a state with several.
  func learner(
    _ weights: String = "weights", like model: Learner, owner: String? = nil
  ) throws -> Learner {
    let (prefix, old) = (Self.prefix(owner), model.optimiser)
    return Learner(
      try parameters(weights, like: model.weights),
      optimiser: Adam(
        settings: old.settings, steps: try number(prefix + "steps"),
        means: try parameters(prefix + "means", like: old.means),
        squares: try parameters(prefix + "squares", like: old.squares)))
  }

  /// A moving average like `model`.
  func average(_ name: String, like model: MovingAverage) throws -> MovingAverage {
    MovingAverage(
      try parameters(name, like: model.weights), halfLife: model.halfLife, rampUp: model.rampUp)
  }

  private static func prefix(_ owner: String?) -> String { owner.map { $0 + "/" } ?? "" }

  /// Writes a state, whole or not at all.
  ///
  /// - Parameters:
  ///   - optimisers: each with its owner, nil where there is one.
  ///   - metadata: what tells the network.
  ///   - numbers: what the run needs beside its position.
  static func write(
    _ sets: [(name: String, parameters: Parameters)], optimisers: [(owner: String?, adam: Adam)],
    metadata: [String: String], seed: UInt64, seen: Int,
    numbers: [String: any LosslessStringConvertible] = [:],
    to path: String
  ) throws {
    var all = sets
    var metadata = metadata
    for (owner, adam) in optimisers {
      let prefix = prefix(owner)
      all += [(prefix + "means", adam.means), (prefix + "squares", adam.squares)]
      metadata[prefix + "steps"] = "\(adam.steps)"
    }
    for (key, number) in numbers { metadata[key] = "\(number)" }
    metadata["seed"] = "\(seed)"
    metadata["seen"] = "\(seen)"
    try Safetensors.write(
      all.flatMap { $0.parameters.arrays(prefix: "\($0.name)/") }, metadata: metadata, to: path)
  }
}
