import DiffusionGAN
import Foundation
import TensorCore

/// The project's side of a comparison of training, in a process of its own so that its peak memory is
/// its own. It speaks as `Benchmarks/peers/worker.py` does.
enum TrainingWorker {
  /// Answers until nobody asks any more.
  ///
  /// - Parameter name: of one of `TrainingStep.all`.
  static func run(_ name: String, threads: Int) throws {
    guard let step = TrainingStep.all.first(where: { $0.name == name }) else {
      throw UserError("no training step is called \"\(name)\"", status: .usage)
    }
    let network = try UNet(step.configuration)
    var run = step.pretraining(network)
    answer(["version": "", "resident": .number(try megabytes("VmRSS"))])
    try Compute.$pool.withValue(ThreadPool(count: threads)) {
      while let line = readLine() {
        let place = "the question"
        let question = try JSONReader(
          JSONValue(parsing: Data(line.utf8), place: place), place: place
        ).object(required: ["work", "limit"])
        let limit = try question["limit"]?.integer() ?? 0
        let isCheck = try question["work"]?.string() == TrainingCheck.work
        var values: [Double] = []
        let seconds = try time {
          values =
            isCheck
            ? TrainingCheck(step, network).numbers()
            : try (0..<limit).map { _ in Double(try run.step(step.pictures).loss) }
        }
        answer([
          "preparation": 0, "seconds": .number(seconds),
          "values": .array(values.map { .number($0) }), "peak": .number(try megabytes("VmHWM")),
        ])
      }
    }
  }

  private static func answer(_ fields: JSONValue) {
    FileHandle.standardOutput.write(Data((fields.text + "\n").utf8))
  }

  /// Of this process: `VmRSS` is the resident set, `VmHWM` the largest so far.
  private static func megabytes(_ field: String) throws -> Double {
    let status = String(decoding: try Files.read("/proc/self/status"), as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    let kibibytes = line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first
    return (kibibytes.flatMap { Double($0) } ?? .nan) * 1024 / 1e6
  }
}

/// Inputs of a training step that both sides of a comparison get, and the numbers that come out.
struct TrainingCheck {
  /// What workers are asked for.
  static let work = "check"

  private let network: UNet
  private let clean: Tensor
  private let noise: Tensor
  private let sigma: [Float]
  private let settings: Pretraining.Settings
  private let weights: Parameters

  init(_ step: TrainingStep, _ network: UNet) {
    self.network = network
    settings = step.pretraining(network).settings
    weights = network.initialParameters(seed: settings.seed)
    clean = step.pictures.images(at: Array(0..<TrainingStep.batch))
    var streams = (0..<TrainingStep.batch).map { RandomStream(seed: 2, path: [UInt64($0)]) }
    let loss = settings.loss
    sigma = streams.indices.map { loss.sigma(streams[$0].normal()) }
    noise = Tensor(normal: step.pictures.shape, from: streams)
  }

  /// Weights and inputs in one safetensors file.
  func write(to path: String) throws {
    var arrays = weights
    arrays["input.clean"] = clean
    arrays["input.noise"] = noise
    arrays["input.sigma"] = Tensor(sigma, shape: [sigma.count])
    try Safetensors.write(arrays.arrays(), metadata: [:], to: path)
  }

  /// The norm of the gradient, then the losses of three steps on the same inputs.
  func numbers() -> [Double] {
    let denoiser = Denoiser(network)
    let noisy = clean + noise * Tensor(sigma, shape: [sigma.count, 1, 1, 1])
    var weights = weights
    var optimiser = Adam(weights, settings: settings.adam)
    var norms: [Double] = []
    var losses: [Double] = []
    for _ in 0..<3 {
      let (loss, gradient) = valueWithGradient(at: weights) {
        settings.loss(denoiser, $0, clean: clean, noisy: noisy, sigma: sigma)
      }
      losses.append(Double(loss[0]))
      norms.append(Double(gradient.globalNorm))
      optimiser.step(&weights, gradients: gradient, rate: settings.rate.value(seen: 0))
    }
    return [norms[0]] + losses
  }
}
