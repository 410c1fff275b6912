import Foundation
import TensorCore

/// Sampling by solving the probability flow (Karras et al. 2022, algorithms 1 and 2). The state is
/// kept in f64, the network computes in f32.
public struct Sampler: Sendable, Equatable {
  /// The solver of each step.
  public enum Method: String, Sendable, CaseIterable {
    case euler
    /// Heun's second order, Euler for the last step.
    case heun
  }

  /// The last and the first noise level, and how unevenly the others lie between (Karras et al. 2022, Table 1).
  static let sigmaMin = 0.002
  private static let sigmaMax = Double(Denoiser.highestSigma)
  private static let rho = 7.0

  public var steps: Int
  public var method: Method
  /// Noise that is added again, over all steps; nil for none.
  public var churn: Double?

  public init(steps: Int = 18, method: Method = .heun, churn: Double? = nil) {
    self.steps = steps
    self.method = method
    self.churn = churn
  }

  /// The noise levels before each step and, at the end, 0 (equation 5).
  public var sigmas: [Double] {
    let (high, low) = (pow(Self.sigmaMax, 1 / Self.rho), pow(Self.sigmaMin, 1 / Self.rho))
    let levels = (0..<steps).map {
      pow(high + Double($0) / Double(max(steps - 1, 1)) * (low - high), Self.rho)
    }
    return levels + [0]
  }

  /// Network calls of a whole run.
  public var evaluations: Int { method == .heun ? 2 * steps - 1 : steps }

  /// Draws samples.
  ///
  /// - Parameters:
  ///   - latents: standard normal numbers of the shape of the result.
  ///   - noise: standard normal numbers of the same shape for a step; needed with churn only.
  ///   - observer: sees the state after each step.
  ///   - denoise: `D(x; σ)`.
  public func callAsFunction(
    _ latents: Tensor, noise: ((_ step: Int) -> Tensor)? = nil,
    observer: ((_ step: Int, _ state: [Double]) throws -> Void)? = nil,
    denoise: (_ x: Tensor, _ sigma: Float) throws -> Tensor
  ) rethrows -> Tensor {
    let sigmas = sigmas
    let shape = latents.shape
    // (x − D(x; σ)) / σ, the direction of the flow.
    func slope(_ x: [Double], _ sigma: Double) throws -> [Double] {
      let clean = try denoise(Tensor(x.map { Float($0) }, shape: shape), Float(sigma))
      precondition(clean.shape == shape, "a denoiser made \(clean.shape) of \(shape)")
      return clean.withPointer { clean in
        x.indices.map { (x[$0] - Double(clean[$0])) / sigma }
      }
    }
    var x = latents.values.map { Double($0) * Self.sigmaMax }
    for step in 0..<steps {
      let (next, current) = (sigmas[step + 1], sigmas[step])
      var sigma = current
      if let churn, let noise {
        let gamma = min(churn / Double(steps), 2.0.squareRoot() - 1)
        sigma = current + gamma * current
        let deviation = (sigma * sigma - current * current).squareRoot()
        let fresh = noise(step)
        precondition(fresh.shape == shape, "noise of shape \(fresh.shape) for \(shape)")
        for index in x.indices { x[index] += deviation * Double(fresh[index]) }
      }
      let first = try slope(x, sigma)
      let length = next - sigma
      let euler = x.indices.map { x[$0] + length * first[$0] }
      if method == .heun, step < steps - 1 {
        let second = try slope(euler, next)
        for index in x.indices { x[index] += length * (0.5 * first[index] + 0.5 * second[index]) }
      } else {
        x = euler
      }
      try observer?(step, x)
    }
    return Tensor(x.map { Float($0) }, shape: shape)
  }
}
