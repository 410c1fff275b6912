import TensorCore

/// The encoder of a frozen diffusion network as a feature network: features that need no labels.
public struct EncoderFeatures: FeatureNetwork {
  private let denoiser: Denoiser
  private let weights: Parameters
  /// Noise level that the network is conditioned on; none is added.
  private let sigma: Float

  public let name: String

  public init(_ network: NetworkFile, sigma: Float = 0.1, name: String = "diffusion encoder") {
    denoiser = network.denoiser
    weights = network.weights
    self.sigma = sigma
    self.name = name
  }

  /// The last activation of each resolution of the encoder.
  public func maps(_ pictures: Tensor) -> [Tensor] {
    let coefficients = denoiser.preconditioning.coefficients(Double(sigma))
    return denoiser.network.encoded(
      pictures.scaled(by: Float(coefficients.input)), weights,
      UNet.Conditions(noise: [Float(coefficients.noise)]))
  }

  /// The means of all maps' channels.
  public func vectors(_ pictures: Tensor) -> Tensor {
    Tensor.concatenated(
      maps(pictures).map { $0.mean(over: [2, 3]).reshaped([$0.shape[0], $0.shape[1]]) }, 1)
  }
}
