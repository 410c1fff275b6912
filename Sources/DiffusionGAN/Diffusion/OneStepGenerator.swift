import TensorCore

extension Denoiser {
  /// One call as a generator: `G(z) = D(σ z; σ)` at the highest noise level, not clamped (D2O).
  ///
  /// - Parameter latents: standard normal numbers, `[batch, channels, height, width]`.
  public func generated(
    _ latents: Tensor, _ weights: Parameters, _ conditions: UNet.Conditions? = nil,
    sigma: Float = 80
  ) -> Tensor {
    self(latents.scaled(by: sigma), sigma: [sigma], weights, conditions)
  }
}
