import TensorCore

/// The encoder of a frozen diffusion network as a feature network: features that need no labels.
public struct EncoderFeatures: FeatureNetwork {
  /// Noise level that the network is conditioned on; none is added.
  private static let sigma: Float = 0.1

  private let denoiser: Denoiser
  private let weights: Parameters

  public let name = "diffusion encoder"

  public init(_ network: NetworkFile) {
    denoiser = network.denoiser
    weights = network.weights
  }

  /// The last activation of each resolution of the encoder.
  public func maps(_ pictures: Tensor) -> [Tensor] {
    let coefficients = denoiser.preconditioning.coefficients(Double(Self.sigma))
    return denoiser.network.encoded(
      pictures.scaled(by: Float(coefficients.input)), weights,
      UNet.Conditions(noise: [Float(coefficients.noise)]))
  }

  /// The means of all maps' channels.
  public func vectors(_ pictures: Tensor) -> Tensor {
    Tensor.concatenated(maps(pictures).map(\.pooled), 1)
  }
}
