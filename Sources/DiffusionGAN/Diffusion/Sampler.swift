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

  /// Noise that is added again before a step.
  public struct Churn: Sendable, Equatable {
    /// Amount over all steps.
    public var amount: Double
    /// Noise levels between which it is added.
    public var range: ClosedRange<Double>
    /// Deviation of the new noise.
    public var noise: Double

    public init(amount: Double, range: ClosedRange<Double> = 0...Double.infinity, noise: Double = 1)
    {
      self.amount = amount
      self.range = range
      self.noise = noise
    }
  }

  public var steps: Int
  public var method: Method
  public var sigmaMin: Double
  public var sigmaMax: Double
  public var rho: Double
  public var churn: Churn?

  public init(
    steps: Int = 18, method: Method = .heun, sigmaMin: Double = 0.002, sigmaMax: Double = 80,
    rho: Double = 7, churn: Churn? = nil
  ) {
    self.steps = steps
    self.method = method
    self.sigmaMin = sigmaMin
    self.sigmaMax = sigmaMax
    self.rho = rho
    self.churn = churn
  }

  /// The noise levels before each step and, at the end, 0 (equation 5).
  public var sigmas: [Double] {
    let (high, low) = (pow(sigmaMax, 1 / rho), pow(sigmaMin, 1 / rho))
    let levels = (0..<steps).map {
      pow(high + Double($0) / Double(max(steps - 1, 1)) * (low - high), rho)
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
    var x = latents.values.map { Double($0) * sigmaMax }
    for step in 0..<steps {
      let (next, current) = (sigmas[step + 1], sigmas[step])
      var sigma = current
      if let churn, churn.range.contains(current), let noise {
        let gamma = min(churn.amount / Double(steps), 2.0.squareRoot() - 1)
        sigma = current + gamma * current
        let deviation = (sigma * sigma - current * current).squareRoot() * churn.noise
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
