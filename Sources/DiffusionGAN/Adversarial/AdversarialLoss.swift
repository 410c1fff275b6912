import TensorCore

/// What generator and discriminator minimise, given logits that are positive for real pictures. Means
/// over a head's logits and the batch, summed over heads.
public enum AdversarialLoss: String, Sendable, CaseIterable {
  /// `softplus(−D(G(z)))` and `softplus(D(G(z))) + softplus(−D(x))` (Goodfellow et al. 2014).
  case nonSaturating = "non-saturating"
  /// `softplus(∓(D(G(z)) − D(x)))` of a generated picture and a real one each (Jolicoeur-Martineau
  /// 2019, as in Huang et al. 2024).
  case relativistic

  /// - Parameters:
  ///   - fake, real: logits of each head; `real` is not looked at by the non-saturating loss.
  func generator(fake: [Tensor], real: [Tensor]) -> Tensor {
    switch self {
    case .nonSaturating: Self.sum(fake) { (0 - $0).softplus() }
    case .relativistic: Self.sum(zip(fake, real).map { $1 - $0 }) { $0.softplus() }
    }
  }

  func discriminator(fake: [Tensor], real: [Tensor]) -> Tensor {
    switch self {
    case .nonSaturating:
      Self.sum(fake) { $0.softplus() } + Self.sum(real) { (0 - $0).softplus() }
    case .relativistic: Self.sum(zip(fake, real).map { $0 - $1 }) { $0.softplus() }
    }
  }

  private static func sum(_ logits: [Tensor], _ value: (Tensor) -> Tensor) -> Tensor {
    logits.dropFirst().reduce(value(logits[0]).mean()) { $0 + value($1).mean() }
  }
}

extension Array where Element == Tensor {
  /// The mean over heads of the mean logit.
  var meanLogit: Double {
    reduce(0) { $0 + Double($1.detached().mean()[0]) } / Double(count)
  }

  /// The sum of all logits of each head.
  var summedLogits: Tensor { dropFirst().reduce(self[0].sum()) { $0 + $1.sum() } }
}
