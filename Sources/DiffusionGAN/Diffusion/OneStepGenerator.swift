import TensorCore

extension Denoiser {
  /// The noise level that sampling begins at (Karras et al. 2022).
  public static let highestSigma: Float = 80

  /// One call as a generator: `G(z) = D(σ z; σ)`, not clamped (D2O, with the highest noise level).
  ///
  /// - Parameter latents: standard normal numbers, `[batch, channels, height, width]`.
  public func generated(
    _ latents: Tensor, _ weights: Parameters, _ conditions: UNet.Conditions? = nil,
    sigma: Float = Self.highestSigma
  ) -> Tensor {
    self(latents.scaled(by: sigma), sigma: [sigma], weights, conditions)
  }
}
