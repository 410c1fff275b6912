import TensorCore

/// The encoder of a frozen diffusion network as a feature network: features that need no labels.
public struct EncoderFeatures: FeatureNetwork {
  /// Noise level that the network is conditioned on where no noise is added.
  private static let cleanSigma: Float = 0.1

  private let denoiser: Denoiser
  private let weights: Parameters

  public let noise: Float

  public let name = "diffusion encoder"

  /// - Parameter noise: deviation of the noise that pictures get, and level that the network is conditioned on; 0 for
  ///   pictures as they are, which it is shown as of a low level.
  public init(_ network: NetworkFile, noise: Float = 0) {
    denoiser = network.denoiser
    weights = network.weights
    self.noise = noise
  }

  /// The last activation of each resolution of the encoder.
  public func maps(_ pictures: Tensor) -> [Tensor] {
    maps(pictures, of: noise > 0 ? noise : Self.cleanSigma)
  }

  private func maps(_ pictures: Tensor, of sigma: Float) -> [Tensor] {
    let coefficients = denoiser.preconditioning.coefficients(Double(sigma))
    return denoiser.network.encoded(
      pictures.scaled(by: Float(coefficients.input)), weights,
      UNet.Conditions(noise: [Float(coefficients.noise)]))
  }

  /// The means of all maps' channels, of pictures without noise.
  public func vectors(_ pictures: Tensor) -> Tensor {
    Tensor.concatenated(maps(pictures, of: Self.cleanSigma).map(\.pooled), 1)
  }
}
