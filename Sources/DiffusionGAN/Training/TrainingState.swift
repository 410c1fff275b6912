import TensorCore

/// The state of a training run on disk, one safetensors file: sets of parameters under a prefix each,
/// the optimiser's moments, and numbers as metadata.
struct TrainingState {
  private let file: SafetensorsFile

  /// Opens the state of a run of `network`.
  ///
  /// - Throws: `UserError` if the file is not the state of a run of this network and seed.
  init(_ path: String, network: UNet, seed: UInt64) throws {
    file = try SafetensorsFile(path)
    let found: UInt64 = try number("seed")
    guard found == seed else {
      throw UserError(
        "belongs to a run with seed \(found), not \(seed)", at: path,
        remedy: "continue with the same seed or begin a new run")
    }
    guard try NetworkFile.configuration(of: file) == network.configuration else {
      throw UserError(
        "belongs to a run of another network", at: path,
        remedy: "continue with the same network or begin a new run")
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

  /// The optimiser of the weights `trainable`.
  ///
  /// - Parameter owner: whose it is, in a state with several.
  func optimiser(
    _ settings: Adam.Settings, of trainable: Parameters, owner: String? = nil
  ) throws -> Adam {
    let prefix = Self.prefix(owner)
    return Adam(
      settings: settings, steps: try number(prefix + "steps"),
      means: try parameters(prefix + "means", like: trainable),
      squares: try parameters(prefix + "squares", like: trainable))
  }

  private static func prefix(_ owner: String?) -> String { owner.map { $0 + "/" } ?? "" }

  /// Writes a state, whole or not at all.
  ///
  /// - Parameters:
  ///   - optimisers: each with its owner, nil where there is one.
  ///   - numbers: what the run needs beside its position.
  static func write(
    _ sets: [(name: String, parameters: Parameters)], optimisers: [(owner: String?, adam: Adam)],
    of denoiser: Denoiser, seed: UInt64, seen: Int,
    numbers: [String: any LosslessStringConvertible] = [:],
    to path: String
  ) throws {
    var all = sets
    var metadata = NetworkFile.metadata(denoiser)
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
