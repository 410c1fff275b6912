import Foundation
import TensorCore

/// The presets with names. `cifar10`, `ffhq64` and `imagenet64` have the networks, learning rates, batches, dropout and
/// augmentation of Karras et al. 2022 (Table 7), and for one step the batches, learning rates, half-lives and lengths of
/// Zheng & Yang 2025, with its weight of R1 brought to the scale of `GradientPenalty`. The small ones have what short
/// runs on Fashion-MNIST need (docs/onestep/levers.md).
extension Preset {
  public static let named: [Preset] = [
    small(
      "fashion28", side: 28, [], width: 24, attention: 14, pretrain: 250_000, train: 100_000),
    // Stacked Fashion-MNIST, three garments as the channels of one picture.
    small(
      "stacked32", channels: 3, side: 32, [.pad(height: 32, width: 32)], width: 24,
      multipliers: [1, 2, 2], attention: 8, pretrain: 250_000, train: 100_000),
    // Padded to 32×32, squares averaged once.
    small(
      "fashion16", side: 16, [.pad(height: 32, width: 32), .averageSquares], width: 24,
      attention: 8, pretrain: 400_000, train: 40_000),
    // For trying things out.
    small(
      "test", side: 8, [.pad(height: 32, width: 32), .averageSquares, .averageSquares], width: 8,
      attention: 4, batch: 16, pretrain: 2_048, train: 1_024, distill: 2_048,
      style: .init(mixingChannels: 8, headChannels: 16)),
    published(
      "cifar10",
      .ddpmpp(
        resolution: 32, imageChannels: 3, baseChannels: 128, multipliers: [2, 2, 2], blocks: 4,
        attentionResolutions: [16], dropout: 0.13),
      Pretraining.Settings(
        batch: 512, total: 200_000_000, learningRate: 1e-3, augmentation: 0.12),
      AdversarialTraining.Settings(
        batch: 256, total: 5_000_000, generatorRate: 1e-4, discriminatorRate: 1e-4),
      // Song et al. 2023: none that lags for CIFAR-10, a decay of 0.95 for larger images.
      Distillation.Settings(
        batch: 256, total: 20_000_000, learningRate: 1e-4, targetHalfLife: 0)),
    published(
      "ffhq64",
      .ddpmpp(
        resolution: 64, imageChannels: 3, baseChannels: 128, multipliers: [1, 2, 2, 2], blocks: 4,
        attentionResolutions: [16], dropout: 0.05),
      Pretraining.Settings(
        batch: 256, total: 200_000_000, learningRate: 2e-4, augmentation: 0.15),
      AdversarialTraining.Settings(
        batch: 256, total: 10_000_000, generatorRate: 2e-5, discriminatorRate: 4e-5),
      Distillation.Settings(
        batch: 256, total: 20_000_000, learningRate: 2e-5, targetHalfLife: halfLife(0.95, 256))),
    published(
      "imagenet64",
      .adm(
        resolution: 64, imageChannels: 3, baseChannels: 192, multipliers: [1, 2, 3, 4], blocks: 3,
        attentionResolutions: [32, 16, 8], dropout: 0.1),
      Pretraining.Settings(
        batch: 4_096, total: 2_500_000_000, learningRate: 1e-4, halfLife: 50_000_000),
      AdversarialTraining.Settings(
        batch: 512, total: 10_000_000, generatorRate: 8e-6, discriminatorRate: 4e-5,
        halfLife: 50_000_000),
      Distillation.Settings(
        batch: 512, total: 50_000_000, learningRate: 8e-6, targetHalfLife: halfLife(0.95, 512))),
  ]

  /// Samples after which an average with this decay at each step has moved half the way.
  private static func halfLife(_ decay: Double, _ batch: Int) -> Double {
    Double(batch) * log(0.5) / log(decay)
  }

  /// - Parameters:
  ///   - width: channels of the network at full size, `multipliers` times as many below.
  ///   - attention: the resolution that has it.
  private static func small(
    _ name: String, channels: Int = 1, side: Int, _ preparations: [Preparation], width: Int,
    multipliers: [Int] = [1, 2], attention: Int, batch: Int = 64, pretrain: Int, train: Int,
    distill: Int = 40_000,
    style: ProjectedDiscriminator.Style = .init()
  ) -> Preset {
    var preset = Preset(
      name, ImageShape(channels: channels, height: side, width: side), preparations,
      network: .ddpmpp(
        resolution: side, imageChannels: channels, baseChannels: width, multipliers: multipliers,
        blocks: 1,
        attentionResolutions: [attention]),
      pretraining: Pretraining.Settings(
        batch: batch, total: pretrain, learningRate: 1e-3, rampUp: 100 * batch, decay: 0.25,
        halfLife: 10_000),
      adversarial: AdversarialTraining.Settings(
        batch: batch, total: train, startSigma: 2.5, generatorRate: 1e-3, unfrozenRate: 2e-4,
        penalty: GradientPenalty(gamma: GradientPenalty.published(resolution: side)),
        clipsPictures: true, halfLife: 20_000, halfLifeRampUp: 0.2, style: style),
      // Short runs need a target that follows at once: what is learned at low noise has to climb the whole grid.
      distillation: Distillation.Settings(
        batch: batch, total: distill, learningRate: 5e-4, clipsPictures: true, halfLife: 20_000,
        halfLifeRampUp: 0.2, targetHalfLife: 0))
    preset.rawSide = preparations.isEmpty ? nil : 28
    return preset
  }

  private static func published(
    _ name: String, _ network: NetworkConfiguration, _ pretraining: Pretraining.Settings,
    _ adversarial: AdversarialTraining.Settings, _ distillation: Distillation.Settings
  ) -> Preset {
    var adversarial = adversarial
    adversarial.penalty?.gamma = GradientPenalty.published(samples: adversarial.batch / 4)
    adversarial.penalty?.sumsLogits = true
    adversarial.style = .reference
    var pretraining = pretraining
    pretraining.rampUp = 10_000_000
    return Preset(
      name, network.imageShape, network: network, pretraining: pretraining,
      adversarial: adversarial, distillation: distillation)
  }
}
