import Foundation
import TensorCore

/// The EDM training loss (Karras et al. 2022, equation 2 and Table 1): noise levels from a log-normal
/// distribution, squared errors weighted so that each level counts alike.
public struct DenoisingLoss: Sendable, Equatable {
  /// Mean and deviation of ln σ.
  public var mean = -1.2
  public var deviation = 1.2

  /// The noise level that a standard normal number stands for.
  public func sigma(_ normal: Float) -> Float { Float(exp(Double(normal) * deviation + mean)) }

  /// `(σ² + σ_data²) / (σ σ_data)²`.
  public func weight(_ sigma: Float, sigmaData: Double) -> Float {
    let (s, d) = (Double(sigma), sigmaData)
    return Float((s * s + d * d) / (s * d * s * d))
  }

  /// `Σ weight · (D(y + n; σ) − y)²` over everything, divided by the batch size.
  ///
  /// - Parameters:
  ///   - clean: `[batch, channels, height, width]`; noisy: with noise of deviation `sigma` added.
  public func callAsFunction(
    _ denoiser: Denoiser, _ weights: Parameters, clean: Tensor, noisy: Tensor, sigma: [Float],
    _ conditions: UNet.Conditions? = nil
  ) -> Tensor {
    let denoised = denoiser(noisy, sigma: sigma, weights, conditions)
    let factors = sigma.map {
      weight($0, sigmaData: denoiser.preconditioning.sigmaData) / Float(sigma.count)
    }
    let errors = (denoised - clean).squared()
    return (errors.sum(over: [1, 2, 3]) * Tensor(factors, shape: [sigma.count, 1, 1, 1])).sum()
  }
}
