import TensorCore

/// How a network of a data preset becomes a one-step generator.
///
/// `cifar10`, `ffhq64` and `imagenet64` have the paper's batches, rates, half-lives and totals (Zheng & Yang
/// 2025), and its R1 weight of 1e-4, for losses that are sums over the batch, divided by the batch. The
/// small ones have what short runs on Fashion-MNIST need.
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
        penalty: GradientPenalty(gamma: 1e-4 / Float(batch)), halfLife: halfLife)
    }
    func small(batch: Int) -> AdversarialTraining.Settings {
      let rate: Float = isFrozen ? 1e-3 : 2e-4
      return AdversarialTraining.Settings(
        seed: seed, batch: batch, generatorRate: rate, discriminatorRate: rate,
        penalty: GradientPenalty(gamma: 0.01), halfLife: 5_000)
    }
    switch data {
    case .test:
      (settings, style, total) = (
        small(batch: 16), .init(mixingChannels: [8, 16], headChannels: 8, mostHeadChannels: 16),
        1_024
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
