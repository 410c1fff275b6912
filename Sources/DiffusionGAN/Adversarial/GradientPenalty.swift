import TensorCore

/// A penalty on the slope of the discriminator at pictures (Mescheder et al. 2018):
/// `(γ/2) ‖∇ₓ Σ logits‖²`, mean over the batch. At real pictures it is R1, at generated ones R2.
public struct GradientPenalty: Sendable, Equatable {
  public enum Method: String, Sendable, CaseIterable {
    /// By a gradient of the gradient, through the feature networks.
    case exact
    /// `(γ/2) ((D(x + ε n) − D(x)) / ε)²` with n ~ N(0, I): the same in expectation for small ε, without
    /// a second backward pass.
    case finiteDifference = "finite-difference"
  }

  public var method: Method
  public var gamma: Float
  /// Every how many iterations, with a weight of as many. With 1 it is part of the discriminator's
  /// step; otherwise it is a step of its own (Karras et al. 2020, lazy regularisation).
  public var interval: Int
  /// Whether generated pictures are penalised too.
  public var includesGenerated: Bool
  /// Deviation of the noise of the finite difference.
  public static let difference: Float = 0.02

  public init(
    method: Method = .exact, gamma: Float = 0.01, interval: Int = 16,
    includesGenerated: Bool = false
  ) {
    self.method = method
    self.gamma = gamma
    self.interval = interval
    self.includesGenerated = includesGenerated
  }

  /// The penalty, without the weight for its interval.
  ///
  /// - Parameters:
  ///   - pictures: constants, `[batch, …]`.
  ///   - noise: of the shape of `pictures`; used by the finite difference.
  ///   - logits: the discriminator, of weights that an enclosing recording may follow.
  /// - Returns: the penalty and the logits of `pictures`.
  func callAsFunction(
    at pictures: Tensor, noise: () -> Tensor, _ logits: (Tensor) -> [Tensor]
  ) -> (penalty: Tensor, logits: [Tensor]) {
    let batch = pictures.shape[0]
    switch method {
    case .exact:
      let (_, found, slope) = valueWithGradient(at: pictures) { pictures -> (Tensor, [Tensor]) in
        let found = logits(pictures)
        return (found.summedLogits, found)
      }
      return (slope.squared().sum().scaled(by: gamma / 2 / Float(batch)), found)
    case .finiteDifference:
      let found = logits(pictures)
      let moved = logits(pictures + noise().scaled(by: Self.difference))
      func perSample(_ logits: [Tensor]) -> Tensor {
        let sums = logits.map { $0.reshaped([batch, -1]).sum(over: [1]) }
        return sums.dropFirst().reduce(sums[0], +)
      }
      let slope = (perSample(moved) - perSample(found)).scaled(by: 1 / Self.difference)
      return (slope.squared().sum().scaled(by: gamma / 2 / Float(batch)), found)
    }
  }
}
