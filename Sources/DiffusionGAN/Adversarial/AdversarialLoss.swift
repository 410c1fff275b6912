import Glibc
import TensorCore

/// What generator and discriminator minimise, given logits that are positive for real pictures.
///
/// The mean over the batch and over all logits of a feature network, summed over the networks. The
/// published code of GDD (2024; StyleGAN-XL's, Sauer et al. 2022) has the same mean over a network's logits, and
/// sums over a device's samples: `GradientPenalty` says what that means for its weight.
public enum AdversarialLoss: String, Sendable, CaseIterable {
  /// `softplus(−D(G(z)))` and `softplus(D(G(z))) + softplus(−D(x))` (Goodfellow et al. 2014).
  case nonSaturating = "non-saturating"
  /// `softplus(∓(D(G(z)) − D(x)))` of a generated picture and a real one each (Jolicoeur-Martineau
  /// 2019, as in Huang et al. 2024).
  case relativistic

  /// - Parameters:
  ///   - fake, real: logits of each network, `[batch, logits]`; `real` is not looked at by the
  ///     non-saturating loss.
  func generator(fake: [Tensor], real: [Tensor]) -> Tensor {
    switch self {
    case .nonSaturating: fake.map { (0 - $0).softplus() }.summedMeans
    case .relativistic: zip(fake, real).map { ($1 - $0).softplus() }.summedMeans
    }
  }

  func discriminator(fake: [Tensor], real: [Tensor]) -> Tensor {
    switch self {
    case .nonSaturating:
      (fake.map { $0.softplus() } + real.map { (0 - $0).softplus() }).summedMeans
    case .relativistic: zip(fake, real).map { ($0 - $1).softplus() }.summedMeans
    }
  }

  /// The discriminator's loss where all logits are 0, by chance.
  ///
  /// - Parameter networks: the number of feature networks.
  func chance(networks: Int) -> Double {
    Double(networks) * log(2) * (self == .nonSaturating ? 2 : 1)
  }
}

extension Array where Element == Tensor {
  /// The sum over feature networks of the mean of all their numbers, a single number.
  var summedMeans: Tensor { dropFirst().reduce(self[0].mean()) { $0 + $1.mean() } }

  /// The mean over networks of the mean logit.
  var meanLogit: Double { Double(map { $0.detached() }.summedMeans[0]) / Double(count) }
}
