import TensorCore

/// A network and its weights in one file: what a snapshot (safetensors) is, and what sampling reads, EDM's
/// pickles included.
public struct NetworkFile: Sendable {
  public let denoiser: Denoiser
  public let weights: Parameters
  /// The σ of the one call `D(σ z; σ)` that a one-step generator was trained for; nil for diffusion networks.
  public let startSigma: Float?

  public var isOneStep: Bool { startSigma != nil }

  static let configurationKey = "network"
  static let sigmaKey = "sigma_data"
  private static let generatorKey = "generator"
  private static let oneStep = "one-step"
  private static let epsilonKey = "epsilon"
  private static let startKey = "start_sigma"

  public init(_ denoiser: Denoiser, weights: Parameters, startSigma: Float? = nil) {
    self.denoiser = denoiser
    self.weights = weights
    self.startSigma = startSigma
  }

  /// - Throws: `UserError` if the file does not tell its network or has other weights.
  public init(contentsOf path: String) throws {
    let file = try WeightsFile.open(path)
    let configuration = try Self.configuration(of: file)
    let network = try UNet(configuration)
    let generator = file.metadata[Self.generatorKey]
    guard generator == nil || generator == Self.oneStep else {
      throw UserError(
        "is a generator of the unknown kind \"\(generator ?? "")\"", at: path,
        remedy: "give a file that this program wrote")
    }
    func number(_ key: String, absent: Double, from least: Double) throws -> Double {
      guard let text = file.metadata[key] else { return absent }
      guard let value = Double(text), value >= least, value <= 1000 else {
        throw UserError(
          "\(key) is \"\(text)\", which is no deviation", at: path,
          remedy: "give the number that the network was trained with")
      }
      return value
    }
    let preconditioning = Preconditioning(
      sigmaData: try number(
        Self.sigmaKey, absent: Preconditioning.edm.sigmaData, from: .leastNormalMagnitude),
      epsilon: try number(Self.epsilonKey, absent: Preconditioning.edm.epsilon, from: 0))
    let weights = try network.parameters(from: Parameters(file), at: path)
    if let name = weights.firstNotFinite {
      throw UserError(
        "the weights of \"\(name)\" are not all finite", at: path,
        remedy: "take an earlier snapshot, or copy the file again")
    }
    self.init(
      Denoiser(network, preconditioning: preconditioning), weights: weights,
      startSigma: generator == nil
        ? nil
        : Float(
          try number(
            Self.startKey, absent: Double(Denoiser.highestSigma), from: .leastNormalMagnitude)))
  }

  /// - Throws: `UserError` where a one-step generator is to take several steps: it knows one noise level only.
  public func requireSteps(_ steps: Int?, at path: String) throws {
    guard isOneStep, let steps, steps != 1 else { return }
    throw UserError(
      "a one-step generator was trained for one call, not for \(steps) steps", at: path,
      remedy: "leave --steps out, or give the network that it was made of", status: .usage)
  }

  /// Writes the file, whole or not at all.
  public func write(to path: String) throws {
    try Safetensors.write(
      weights.arrays(), metadata: Self.metadata(denoiser, startSigma: startSigma), to: path)
  }

  /// What a file tells about a network beside its weights.
  static func metadata(_ denoiser: Denoiser, startSigma: Float? = nil) -> [String: String] {
    var result = [
      configurationKey: denoiser.network.configuration.jsonValue.text,
      sigmaKey: "\(denoiser.preconditioning.sigmaData)",
    ]
    if let startSigma {
      result[generatorKey] = oneStep
      result[startKey] = "\(startSigma)"
    }
    if startSigma != nil || denoiser.preconditioning.epsilon != Preconditioning.edm.epsilon {
      result[epsilonKey] = "\(denoiser.preconditioning.epsilon)"
    }
    return result
  }

  static func configuration(of file: any ArrayFile) throws -> NetworkConfiguration {
    try NetworkConfiguration(
      file.configuration(configurationKey, of: "pretraining or conversion"))
  }
}
