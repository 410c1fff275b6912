import TensorCore

/// The state of a training run, one safetensors file: sets of parameters under a prefix each,
/// the optimisers' moments, and numbers as metadata.
///
/// A run says once what belongs to its state (`ResumableTraining.exchange`): a state that is written takes what it is
/// given, one that was read gives back what it holds.
public struct TrainingState {
  /// What was read; nil for a state to be written.
  private let file: SafetensorsFile?
  private var sets: [(name: String, parameters: Parameters)] = []
  /// Behind all sets.
  private var moments: [(name: String, parameters: Parameters)] = []
  private var metadata: [String: String] = [:]

  init() { file = nil }

  init(contentsOf path: String) throws { file = try SafetensorsFile(path) }

  /// Writes what was exchanged, whole or not at all.
  func write(to path: String) throws {
    try Safetensors.write(
      (sets + moments).flatMap { $0.parameters.arrays(prefix: "\($0.name)/") }, metadata: metadata,
      to: path)
  }

  /// Whose state it is.
  ///
  /// - Parameters:
  ///   - network: what tells the network, as metadata.
  ///   - what: the network as messages call it.
  ///   - isOf: whether a file is of the same network.
  /// - Throws: `UserError` if it is not, or of another seed.
  mutating func exchange(
    seed: UInt64, network: [String: String], of what: String = "network",
    _ isOf: (SafetensorsFile) throws -> Bool
  ) throws {
    var found = seed
    try exchange("seed", &found)
    metadata.merge(network) { own, _ in own }
    guard let file else { return }
    guard found == seed else {
      throw UserError(
        "belongs to a run with seed \(found), not \(seed)", at: file.path,
        remedy: "continue with the same seed or begin a new run")
    }
    guard try isOf(file) else {
      throw UserError(
        "belongs to a run of another \(what)", at: file.path,
        remedy: "continue with the same \(what) or begin a new run")
    }
  }

  mutating func exchange(seed: UInt64, of denoiser: Denoiser) throws {
    try exchange(seed: seed, network: NetworkFile.metadata(denoiser)) {
      try NetworkFile.configuration(of: $0) == denoiser.network.configuration
    }
  }

  mutating func exchange(
    _ key: String, _ number: inout some LosslessStringConvertible
  ) throws {
    guard let file else { return metadata[key] = "\(number)" }
    guard let value = file.metadata[key].flatMap({ type(of: number).init($0) }) else {
      throw UserError(
        "is not the state of such a training run", at: file.path,
        remedy: "give the state of this run")
    }
    number = value
  }

  /// The set called `name`, whose names, order and shapes the run knows.
  mutating func exchange(_ name: String, _ parameters: inout Parameters) throws {
    try exchange(name, &parameters, in: \.sets)
  }

  /// A learner.
  ///
  /// - Parameters:
  ///   - weights: name of their set.
  ///   - owner: whose optimiser it is, in a state with several.
  mutating func exchange(
    _ learner: inout Learner, weights: String = "weights", owner: String? = nil
  ) throws {
    let prefix = owner.map { $0 + "/" } ?? ""
    let old = learner.optimiser
    var (steps, means, squares) = (old.steps, old.means, old.squares)
    try exchange(weights, &learner.weights)
    try exchange(prefix + "steps", &steps)
    try exchange(prefix + "means", &means, in: \.moments)
    try exchange(prefix + "squares", &squares, in: \.moments)
    learner.optimiser = Adam(settings: old.settings, steps: steps, means: means, squares: squares)
  }

  mutating func exchange(_ name: String, _ average: inout MovingAverage) throws {
    var weights = average.weights
    try exchange(name, &weights)
    average = MovingAverage(weights, halfLife: average.halfLife, rampUp: average.rampUp)
  }

  private mutating func exchange(
    _ name: String, _ parameters: inout Parameters,
    in part: WritableKeyPath<Self, [(name: String, parameters: Parameters)]>
  ) throws {
    guard let file else { return self[keyPath: part].append((name, parameters)) }
    let found = try Parameters(file, prefix: "\(name)/")
    parameters = try parameters.map { key, tensor in
      guard found.contains(key), found[key].shape == tensor.shape else {
        throw UserError(
          "\"\(name)/\(key)\" is missing or has another shape", at: file.path,
          remedy: "give the state of this run")
      }
      return found[key]
    }
  }
}
