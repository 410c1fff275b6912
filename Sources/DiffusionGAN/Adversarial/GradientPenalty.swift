import TensorCore

/// A penalty on the slope of the discriminator at pictures (Mescheder et al. 2018):
/// `(γ/2) ‖∇ₓ D(x)‖²`, mean over the batch, with `D(x)` on the scale of the losses: the mean over the logits
/// of a feature network, summed over the networks. At real pictures it is R1, at generated ones R2.
///
/// So γ means the same for any number of heads, logits and samples: a head of 16 equal logits is penalised
/// like one with a single logit.
public struct GradientPenalty: Sendable, Equatable {
  public var gamma: Float = Self.published()
  /// Every how many iterations, with a weight of as many, but not in the first. With 1 it is part of the
  /// discriminator's step; otherwise it is a step of its own (Karras et al. 2020, lazy regularisation).
  public var interval: Int = 16
  /// Whether generated pictures are penalised too.
  public var includesGenerated: Bool = false
  /// Whether `D(x)` is a 64th of the sum of all logits, as in the published code: a network of 484 logits then counts
  /// as much as 7.6 of 64 logits, for which both scales are one.
  public var sumsLogits: Bool = false

  /// Logits of a network with four heads of 4×4.
  private static let publishedLogits = 64

  /// The weight of GDD's published code on this scale.
  ///
  /// There R1 is `(γ'/2) ‖∇ₓ Σ l‖²`, mean over samples, of the sum of all logits l of all networks, with
  /// γ' = 1e-4; the losses beside it are sums over a device's `samples` of the mean over a network's logits.
  /// Divided by `samples`, for losses that are means, and with the sum of a network's L = 64 logits as 64 times
  /// their mean, `γ = γ' 64² / samples`. Four heads of 4×4 logits are 64, as EfficientNet-Lite0 and DeiT have; batches
  /// of 256 on the 4 devices of the published command are 64 samples: 6.4e-3. (The VGG beside them at 224 pixels has
  /// heads of 11×11: `sumsLogits` has its share right.)
  ///
  /// A picture enlarged r times spreads the same change of its content over r² times as many pixels, and the
  /// squared gradient is r² times as small: for another resolution than the 32 of CIFAR-10, γ goes with its square.
  /// (The published commands keep γ' at 64×64.)
  public static func published(
    gamma: Double = 1e-4, samples: Int = 64, resolution: Int = 32
  ) -> Float {
    let enlargement = Double(resolution) / 32
    return Float(
      gamma * Double(publishedLogits * publishedLogits) / Double(samples) * enlargement
        * enlargement)
  }

  /// The penalty, without the weight for its interval.
  ///
  /// - Parameters:
  ///   - pictures: constants, `[batch, …]`.
  ///   - logits: the discriminator, of weights that an enclosing recording may follow; each network's are
  ///     `[batch, logits]`, or a row for each pack of pictures: the mean is over packs then.
  /// - Returns: the penalty and the logits of `pictures`.
  func callAsFunction(
    at pictures: Tensor, _ logits: (Tensor) -> [Tensor]
  ) -> (penalty: Tensor, logits: [Tensor]) {
    let (_, found, slope) = valueWithGradient(at: pictures) { pictures -> (Tensor, [Tensor]) in
      let found = logits(pictures)
      // Of the sum over samples: each one's gradient is of its own logits, but for batch norms.
      let rows = Float(found[0].shape[0])
      guard sumsLogits else { return (found.summedMeans.scaled(by: rows), found) }
      let sum = found.dropFirst().reduce(found[0].sum()) { $0 + $1.sum() }
      return (sum.scaled(by: 1 / Float(Self.publishedLogits)), found)
    }
    return (slope.squared().sum().scaled(by: gamma / 2 / Float(found[0].shape[0])), found)
  }
}
