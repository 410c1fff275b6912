import TensorCore

/// A network and how it is pretrained, by the name of its data preset.
///
/// `cifar10`, `ffhq64` and `imagenet64` are those of Karras et al. 2022 (Table 7: networks, rates,
/// batches, dropout and augmentation); `fashion16`, `fashion28` and `test` are small enough for a
/// few processors.
public struct TrainingPreset: Sendable {
  public let data: DataPreset
  public var network: NetworkConfiguration
  public var settings: Pretraining.Settings
  /// Samples of the whole run.
  public var total: Int

  /// - Parameters:
  ///   - labels: classes that the network is told; 0 for none.
  ///   - total: samples of the whole run; the preset's own if nil.
  ///   - augmentation: probability of each operation; the preset's own if nil.
  public init(
    _ data: DataPreset, labels: Int = 0, seed: UInt64, total: Int? = nil,
    augmentation: Double? = nil
  ) {
    self.data = data
    let shape = data.shape
    func song(
      _ channels: Int, _ multipliers: [Int], blocks: Int, attention: Int, dropout: Float = 0
    ) -> NetworkConfiguration {
      .ddpmpp(
        resolution: shape.height, imageChannels: shape.channels, baseChannels: channels,
        multipliers: multipliers, blocks: blocks, attentionResolutions: [attention],
        labels: labels, dropout: dropout)
    }
    /// Settings of the small networks: a short ramp, and a descent over the last quarter.
    func small(batch: Int, total: Int) -> Pretraining.Settings {
      Pretraining.Settings(
        seed: seed, batch: batch,
        rate: LearningRate(1e-3, rampUp: 100 * batch, descent: (total, total / 4)),
        halfLife: 10_000)
    }
    func papers(
      batch: Int, rate: Float, augmentation: Double = 0, halfLife: Double
    ) -> Pretraining.Settings {
      Pretraining.Settings(
        seed: seed, batch: batch, rate: LearningRate(rate, rampUp: 10_000_000),
        augmentation: augmentation, halfLife: halfLife)
    }
    switch data {
    case .test:
      self.total = total ?? 2_048
      network = song(8, [1, 2], blocks: 1, attention: 4)
      settings = small(batch: 16, total: self.total)
    case .fashion16:
      self.total = total ?? 400_000
      network = song(24, [1, 2], blocks: 1, attention: 8)
      settings = small(batch: 64, total: self.total)
    case .fashion28:
      self.total = total ?? 250_000
      network = song(24, [1, 2], blocks: 1, attention: 14)
      settings = small(batch: 64, total: self.total)
    case .cifar10:
      self.total = total ?? 200_000_000
      network = song(128, [2, 2, 2], blocks: 4, attention: 16, dropout: 0.13)
      settings = papers(batch: 512, rate: 1e-3, augmentation: 0.12, halfLife: 500_000)
    case .ffhq64:
      self.total = total ?? 200_000_000
      network = song(128, [1, 2, 2, 2], blocks: 4, attention: 16, dropout: 0.05)
      settings = papers(batch: 256, rate: 2e-4, augmentation: 0.15, halfLife: 500_000)
    case .imagenet64:
      self.total = total ?? 2_500_000_000
      network = .adm(
        resolution: 64, imageChannels: 3, baseChannels: 192, multipliers: [1, 2, 3, 4], blocks: 3,
        attentionResolutions: [32, 16, 8], labels: labels, dropout: 0.1)
      settings = papers(batch: 4_096, rate: 1e-4, halfLife: 50_000_000)
    }
    settings.augmentation = augmentation ?? settings.augmentation
    network.augmentLabels = settings.augmentation > 0 ? GeometricTransform.labelCount : 0
  }
}
