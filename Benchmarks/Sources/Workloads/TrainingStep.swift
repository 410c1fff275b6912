import DiffusionGAN
import TensorCore

/// One training step of a diffusion model: forward, backward, Adam and the average of the weights.
struct TrainingStep {
  let name: String
  let configuration: NetworkConfiguration

  static let all = [
    TrainingStep(
      name: "fashion16",
      configuration: .ddpmpp(
        resolution: 16, imageChannels: 1, baseChannels: 24, multipliers: [1, 2], blocks: 1,
        attentionResolutions: [8])),
    TrainingStep(
      name: "fashion28",
      configuration: .ddpmpp(
        resolution: 28, imageChannels: 1, baseChannels: 24, multipliers: [1, 2], blocks: 1,
        attentionResolutions: [14])),
    TrainingStep(
      name: "song32",
      configuration: .ddpmpp(
        resolution: 32, imageChannels: 3, baseChannels: 32, multipliers: [1, 2], blocks: 1,
        attentionResolutions: [16])),
  ]

  static let batch = 64
  static let halfLife = 10_000.0

  /// Pictures of noise: the arithmetic does not depend on them.
  struct Noise: PictureSource {
    let count = 256
    let shape: [Int]

    func images(at indices: [Int]) -> Tensor {
      Tensor(normal: shape, from: indices.map { RandomStream(seed: 1, path: [UInt64($0)]) })
    }
  }

  var pictures: Noise {
    Noise(shape: [configuration.imageChannels, configuration.resolution, configuration.resolution])
  }

  /// A run that has not begun.
  func pretraining(_ network: UNet) -> Pretraining {
    // Of the preset, at a constant learning rate.
    var settings = Preset.named[0].pretraining
    (settings.batch, settings.halfLife) = (Self.batch, Self.halfLife)
    (settings.rampUp, settings.decay) = (0, 0)
    return Pretraining(Denoiser(network), settings: settings, on: pictures)
  }

  /// Floating-point operations of one step, of what a convolution, a linear layer or attention needs:
  /// two for each weight and position forward, twice that backward.
  func operations(_ network: UNet) -> Double {
    let shapes = network.initialParameters(seed: 0).pairs.map { ($0.name, $0.tensor.shape) }
    var forward = 0.0
    for (name, shape) in shapes where shape.count >= 2 {
      // `model.enc.16x16_block0.conv0.weight` works on 16 × 16 positions.
      let part = name.split(separator: ".").dropFirst(2).first ?? ""
      let size = shape.count == 4 ? Double(part.prefix { $0 != "x" }) ?? 1 : 1
      forward += 2 * size * size * Double(shape.reduce(1, *))
      if name.hasSuffix("qkv.weight") {
        forward += 4 * size * size * size * size * Double(shape[1])
      }
    }
    return 3 * forward * Double(Self.batch)
  }

  func measure(pool: ThreadPool, peak: SgemmPeak, repeats: Int, into results: inout Results) throws
  {
    let network = try UNet(configuration)
    var run = pretraining(network)
    let timing = try Compute.$pool.withValue(pool) {
      try Timing(repeats: repeats, operations: operations(network), peak: peak) {
        _ = try run.step()
      }
    }
    results.set("train.\(name).images_per_second", Double(Self.batch) / timing.seconds)
    results.set("train.\(name).gflops", operations(network) / timing.seconds / 1e9)
    results.set("train.\(name).share_of_sgemm_peak", timing.shareOfPeak)
    results.set("train.\(name).share_of_fma_peak", timing.shareOfFused)
    results.set("train.\(name).processor_share_of_sgemm_peak", timing.processorShareOfPeak)
  }
}
