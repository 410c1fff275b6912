import Foundation
import TensorCore

/// A network and its weights in one safetensors file: what a snapshot is, and what sampling reads.
public struct NetworkFile: Sendable {
  public let denoiser: Denoiser
  public let weights: Parameters

  private static let configurationKey = "network"
  private static let sigmaKey = "sigma_data"

  public init(_ denoiser: Denoiser, weights: Parameters) {
    self.denoiser = denoiser
    self.weights = weights
  }

  /// - Throws: `UserError` if the file does not tell its network or has other weights.
  public init(contentsOf path: String) throws {
    let file = try SafetensorsFile(path)
    let configuration = try Self.configuration(of: file)
    let network = try UNet(configuration)
    let sigma = file.metadata[Self.sigmaKey].flatMap { Double($0) } ?? 0.5
    self.init(
      Denoiser(network, preconditioning: Preconditioning(sigmaData: sigma)),
      weights: try network.parameters(from: Parameters(file), at: path))
  }

  /// Writes the file, whole or not at all.
  public func write(to path: String) throws {
    try Safetensors.write(
      weights.arrays(), metadata: Self.metadata(denoiser), to: path)
  }

  /// What a file tells about a network beside its weights.
  static func metadata(_ denoiser: Denoiser) -> [String: String] {
    [
      configurationKey: denoiser.network.configuration.jsonValue.text,
      sigmaKey: "\(denoiser.preconditioning.sigmaData)",
    ]
  }

  static func configuration(of file: SafetensorsFile) throws -> NetworkConfiguration {
    guard let text = file.metadata[configurationKey] else {
      throw UserError(
        "does not tell which network its weights belong to", at: file.path,
        remedy: "give a file that pretraining or conversion wrote")
    }
    let place = "\(file.path), \(configurationKey)"
    return try NetworkConfiguration(
      JSONReader(JSONValue(parsing: Data(text.utf8), place: place), place: place))
  }
}
