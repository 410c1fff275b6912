import Foundation
import TensorCore

/// How network input, output and skip are scaled with the noise level (Karras et al. 2022, Table 1).
public struct Preconditioning: Sendable, Equatable {
  /// Deviation of the data.
  public var sigmaData: Double
  /// Noise level at which the denoiser is the identity: 0 in EDM, 0.002 in D2O.
  public var epsilon: Double

  public init(sigmaData: Double = 0.5, epsilon: Double = 0) {
    self.sigmaData = sigmaData
    self.epsilon = epsilon
  }

  public static let edm = Preconditioning()
  public static let d2o = Preconditioning(epsilon: 0.002)

  public struct Coefficients: Sendable, Equatable {
    public let skip: Double
    public let out: Double
    public let input: Double
    public let noise: Double
  }

  public func coefficients(_ sigma: Double) -> Coefficients {
    let variance = sigmaData * sigmaData
    let shifted = sigma - epsilon
    let deviation = (sigma * sigma + variance).squareRoot()
    return Coefficients(
      skip: variance / (shifted * shifted + variance), out: shifted * sigmaData / deviation,
      input: 1 / deviation, noise: log(sigma) / 4)
  }
}

/// A network and its preconditioning: `D(x; σ) = c_skip x + c_out F(c_in x; c_noise)`.
public struct Denoiser: Sendable {
  public var network: UNet
  public var preconditioning: Preconditioning

  public init(_ network: UNet, preconditioning: Preconditioning = .edm) {
    self.network = network
    self.preconditioning = preconditioning
  }

  /// `x` without its noise.
  ///
  /// - Parameters:
  ///   - x: `[batch, channels, height, width]`.
  ///   - sigma: noise level of each sample, or one for all.
  ///   - conditions: labels and so on; their noise level is put in here.
  public func callAsFunction(
    _ x: Tensor, sigma: [Float], _ weights: Parameters, _ conditions: UNet.Conditions? = nil
  ) -> Tensor {
    precondition(
      sigma.count == 1 || sigma.count == x.shape[0],
      "\(sigma.count) noise levels for a batch of shape \(x.shape)")
    let coefficients = sigma.map { preconditioning.coefficients(Double($0)) }
    func each(_ part: KeyPath<Preconditioning.Coefficients, Double>) -> Tensor {
      Tensor(coefficients.map { Float($0[keyPath: part]) }, shape: [sigma.count, 1, 1, 1])
    }
    var conditions = conditions ?? UNet.Conditions(noise: [])
    conditions.noise = coefficients.map { Float($0.noise) }
    let raw = network(x * each(\.input), weights, conditions)
    return x * each(\.skip) + raw * each(\.out)
  }
}
