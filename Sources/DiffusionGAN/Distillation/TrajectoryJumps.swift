import TensorCore

/// A denoiser with a second noise level, that of the end of a jump along the probability flow:
///
///     G(x, t, s) = (s/t) x + (1 − s/t) g(x, t, s)
///
/// (Kim et al. 2024, equation 4). `g` is the denoiser, whose embedding of *t* gets an embedding of *s*
/// added before its last activation: a second copy of the two layers from noise level to embedding.
/// The copy's last layer begins at 0, so that at first `g(x, t, s) = D(x; t)` for every *s*.
struct TrajectoryJumps: Sendable {
  let denoiser: Denoiser
  /// Levels below are embedded as this one.
  let lowest: Float

  private static let first = "model.map_layer0"
  private static let last = "model.map_layer1"
  private static let targetFirst = "model.target_layer0"
  private static let targetLast = "model.target_layer1"

  /// `weights` and, after them, those of the second embedding.
  static func extended(_ weights: Parameters) -> Parameters {
    var result = weights
    for part in ["weight", "bias"] {
      result["\(targetFirst).\(part)"] = weights["\(first).\(part)"]
      result["\(targetLast).\(part)"] = Tensor(zeros: weights["\(last).\(part)"].shape)
    }
    return result
  }

  /// The weights of an ordinary denoiser `D(x; t) = G(x, t, 0)`: with one end only, its embedding is
  /// a constant that the bias of the other takes up.
  func folded(_ weights: Parameters) -> Parameters {
    var result = weights.filter { !$0.hasPrefix("model.target_") }
    let bias = weights["\(Self.last).bias"]
    result["\(Self.last).bias"] = bias + embedding([0], weights).reshaped(bias.shape)
    return result
  }

  /// `G(x, t, s)` with levels `t ≥ s ≥ 0` for each sample; from 0 to 0 it is the identity.
  func callAsFunction(
    _ x: Tensor, from t: [Float], to s: [Float], _ weights: Parameters,
    _ conditions: UNet.Conditions? = nil
  ) -> Tensor {
    var conditions = conditions ?? UNet.Conditions(noise: [])
    conditions.embeddingShift = embedding(s, weights)
    let clean = denoiser(x, sigma: t.map { max($0, lowest) }, weights, conditions)
    return .mixed(x, clean, share: zip(s, t).map { $0 == $1 ? 1 : $0 / $1 })
  }

  private func embedding(_ levels: [Float], _ weights: Parameters) -> Tensor {
    let noise = levels.map {
      Float(denoiser.preconditioning.coefficients(Double(max($0, lowest))).noise)
    }
    let features = denoiser.network.embedding.features(noise, weights)
    func linear(_ x: Tensor, _ layer: String) -> Tensor {
      x.linear(weights["\(layer).weight"], bias: weights["\(layer).bias"])
    }
    return linear(linear(features, Self.targetFirst).silu(), Self.targetLast)
  }
}
