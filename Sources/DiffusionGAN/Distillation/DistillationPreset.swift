import Foundation
import TensorCore

extension Distillation.Settings {
  /// Settings for the networks of a preset.
  ///
  /// - Parameter total: samples of the whole run; the preset's own if nil.
  public init(_ preset: DataPreset, seed: UInt64, total: Int? = nil) {
    let standard: (batch: Int, total: Int, rate: Float) =
      switch preset {
      case .test: (16, 2_048, 5e-4)
      case .fashion16, .fashion28: (64, 40_000, 5e-4)
      case .cifar10: (256, 20_000_000, 1e-4)
      case .ffhq64: (256, 20_000_000, 2e-5)
      case .imagenet64: (512, 50_000_000, 8e-6)
      }
    // Short runs need a target that follows at once: what is learned at low noise has to climb the
    // whole grid. Song et al. have none that lags for CIFAR-10, and a decay of 0.95 for larger images.
    let decay: Double =
      switch preset {
      case .test, .fashion16, .fashion28, .cifar10: 0
      case .ffhq64, .imagenet64: 0.95
      }
    self.init(
      seed: seed, batch: standard.batch, total: total ?? standard.total, rate: standard.rate,
      targetHalfLife: decay == 0 ? 0 : Double(standard.batch) * log(0.5) / log(decay))
  }
}
