import TensorCore

/// How a network of a data preset becomes a one-step generator.
///
/// `cifar10`, `ffhq64` and `imagenet64` have the published batches, rates, half-lives and totals (Zheng & Yang
/// 2025) and its weight of R1, brought to the scale of `GradientPenalty`. The small ones have what short runs on
/// Fashion-MNIST need (docs/onestep/levers.md).
public struct AdversarialPreset: Sendable {
  public let settings: AdversarialTraining.Settings
  public let style: ProjectedDiscriminator.Style
  /// Samples of the whole run.
  public let total: Int

  /// - Parameter isFrozen: whether most of the network is; the small networks bear a larger rate then.
  public init(_ data: DataPreset, isFrozen: Bool, seed: UInt64) {
    func papers(
      batch: Int, rates: (Float, Float), halfLife: Double = 500_000
    ) -> AdversarialTraining.Settings {
      AdversarialTraining.Settings(
        seed: seed, batch: batch, generatorRate: rates.0, discriminatorRate: rates.1,
        penalty: GradientPenalty(gamma: GradientPenalty.published(samples: batch / 4)),
        halfLife: halfLife)
    }
    func small(batch: Int) -> AdversarialTraining.Settings {
      let rate: Float = isFrozen ? 1e-3 : 2e-4
      return AdversarialTraining.Settings(
        seed: seed, batch: batch, startSigma: 2.5, generatorRate: rate, discriminatorRate: rate,
        penalty: GradientPenalty(
          gamma: GradientPenalty.published(resolution: data.shape.height)),
        halfLife: 20_000, halfLifeRampUp: 0.2)
    }
    switch data {
    case .test:
      (settings, style, total) = (
        small(batch: 16), .init(mixingChannels: 8, headChannels: 16), 1_024
      )
    case .fashion16: (settings, style, total) = (small(batch: 64), .init(), 40_000)
    case .fashion28: (settings, style, total) = (small(batch: 64), .init(), 100_000)
    case .cifar10:
      (settings, style, total) = (papers(batch: 256, rates: (1e-4, 1e-4)), .reference, 5_000_000)
    case .ffhq64:
      (settings, style, total) = (papers(batch: 256, rates: (2e-5, 4e-5)), .reference, 10_000_000)
    case .imagenet64:
      (settings, style, total) = (
        papers(batch: 512, rates: (8e-6, 4e-5), halfLife: 50_000_000), .reference, 10_000_000
      )
    }
  }
}
