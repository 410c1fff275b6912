import Foundation
import TensorCore

@testable import DiffusionGAN

/// A teacher of a few thousand weights that has not learned much, and runs of its students.
enum DistillationFixtures {
  static func network(labels: Int = 0) throws -> UNet {
    try UNet(
      .ddpmpp(
        resolution: 8, imageChannels: 1, baseChannels: 8, multipliers: [1, 2], blocks: 1,
        attentionResolutions: [4], labels: labels))
  }

  /// Weights for which the raw network is far from 0.
  static func teacher(labels: Int = 0) throws -> NetworkFile {
    let network = try network(labels: labels)
    let weights = network.initialParameters(seed: 3).map { name, tensor in
      guard name.hasSuffix(".weight") else { return tensor }
      let stream = RandomStream(seed: 4, path: [UInt64(name.utf8.count)])
      return tensor + Tensor(normal: tensor.shape, from: [stream]).reshaped(tensor.shape) * 0.05
    }
    return NetworkFile(Denoiser(network), weights: weights)
  }

  static func settings(
    _ method: DistillationMethod, steps: Int? = nil, total: Int = 64, batch: Int = 4,
    learningRate: Float = 1e-3, freezing: Freezing = .none
  ) -> Distillation.Settings {
    let steps = steps ?? (method == .progressive ? 4 : 6)
    return Distillation.Settings(
      method: method, teacherSteps: steps, seed: 7, batch: batch, total: total,
      learningRate: learningRate, targetHalfLife: 50, freezing: freezing)
  }

  /// A run on a few pictures, or on pairs that lie in `folder`.
  static func run(
    _ settings: Distillation.Settings, folder: String = "", critic: Critic? = nil
  ) throws -> Distillation {
    let teacher = try teacher()
    return Distillation(
      of: teacher, settings: settings, on: PretrainingTests.Ramps(),
      pool: settings.method == .regression ? try pool(of: teacher, folder: folder) : nil,
      critic: critic)
  }

  static func pool(
    of teacher: NetworkFile, count: Int = 10, steps: Int = 3, folder: String
  ) throws -> TeacherPool {
    try TeacherPool(
      of: teacher, sampler: Sampler(steps: steps), count: count, seed: 7, folder: folder)
  }

  static func pictures(_ count: Int, seed: UInt64 = 1) -> Tensor {
    Tensor(
      normal: [1, 8, 8], from: (0..<count).map { RandomStream(seed: seed, path: [UInt64($0)]) })
  }
}

extension Denoiser {
  /// Euler's step, which in this parametrisation is DDIM's:
  /// `x + (s − t) (x − D(x; t)) / t = (s/t) x + (1 − s/t) D(x; t)`.
  func eulerStep(_ x: Tensor, from t: [Float], to s: [Float], _ weights: Parameters) -> Tensor {
    .mixed(x, self(x, sigma: t, weights, nil), share: zip(s, t).map { $0 / $1 })
  }
}
