import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct PretrainingTests {
  /// Pictures that are brighter to one side, a few of them.
  struct Ramps: PictureSource {
    let count = 12

    func images(at indices: [Int]) -> Tensor {
      Tensor(
        indices.flatMap { index in
          (0..<64).map { Float($0 % 8) / 4 - 1 + Float(index) / 12 }
        }, shape: [indices.count, 1, 8, 8])
    }
  }

  static func run(
    batch: Int = 4, dropout: Float = 0, augmentation: Double = 0
  ) throws -> Pretraining {
    var configuration = NetworkConfiguration.ddpmpp(
      resolution: 8, imageChannels: 1, baseChannels: 8, multipliers: [1, 2], blocks: 1,
      attentionResolutions: [4], dropout: dropout)
    configuration.augmentLabels = augmentation > 0 ? GeometricTransform.labelCount : 0
    return Pretraining(
      Denoiser(try UNet(configuration)),
      settings: Pretraining.Settings(
        seed: 7, batch: batch, learningRate: 2e-3, rampUp: 16, augmentation: augmentation,
        halfLife: 100), on: Ramps())
  }

  @Test func lossFalls() throws {
    var run = try Self.run(batch: 8)
    let losses = try (0..<60).map { _ in try run.step()[0].value }
    let (first, last) = (losses.prefix(15).reduce(0, +), losses.suffix(15).reduce(0, +))
    #expect(last < 0.8 * first)
    #expect(run.seen == 480)
    #expect(run.learner.weights.firstNotFinite == nil)
  }

  @Test(arguments: [0, 0.5])
  func resumedRunContinuesToTheSameBits(augmentation: Double) throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("state-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    var whole = try Self.run(dropout: 0.1, augmentation: augmentation)
    for _ in 0..<3 { _ = try whole.step() }
    try whole.save(to: path)
    for _ in 0..<4 { _ = try whole.step() }

    var resumed = try Self.run(dropout: 0.1, augmentation: augmentation)
    try resumed.resume(from: path)
    #expect(resumed.seen == 12)
    // Another number of threads too.
    try Compute.$pool.withValue(ThreadPool(count: 3)) {
      for _ in 0..<4 { _ = try resumed.step() }
    }
    #expect(
      resumed.learner.weights.tensors.map(\.values) == whole.learner.weights.tensors.map(\.values))
    let averages = (resumed.average.weights, whole.average.weights)
    #expect(averages.0.tensors.map(\.values) == averages.1.tensors.map(\.values))
  }

  /// The labels of augmentation are learned, and pictures are drawn as if there were none.
  @Test func theNetworkSeesLabelsOfAugmentation() throws {
    let name = "model.map_augment.weight"
    var run = try Self.run(augmentation: 0.5)
    let start = run.learner.weights[name].values
    for _ in 0..<3 { _ = try run.step() }
    #expect(run.learner.weights[name].values != start && run.learner.weights[name].isFinite)
    let network = NetworkFile(run.denoiser, weights: run.learner.weights)
    let other = NetworkFile(
      run.denoiser, weights: run.learner.weights.map { $0 == name ? $1 * 100 : $1 })
    let sampler = Sampler(steps: 2)
    #expect(
      try SeededSampling(network, sampler: sampler)([0, 1]).values
        == SeededSampling(other, sampler: sampler)([0, 1]).values)
    // Without it, a run is what it was.
    var (plain, none) = (try Self.run(), try Self.run(augmentation: 0))
    for _ in 0..<2 { #expect(try plain.step() == none.step()) }
  }

  @Test func stateOfAnotherRunIsRefused() throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("state-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let run = try Self.run()
    try run.save(to: path)
    var settings = run.settings
    settings.seed = 8
    var reseeded = Pretraining(run.denoiser, settings: settings, on: Ramps())
    #expect { try reseeded.resume(from: path) } throws: { "\($0)".contains("seed 7") }
    var configuration = run.denoiser.network.configuration
    configuration.baseChannels = 12
    var other = Pretraining(
      Denoiser(try UNet(configuration)), settings: run.settings, on: Ramps())
    #expect { try other.resume(from: path) } throws: { "\($0)".contains("another network") }
  }

  @Test func numbersThatAreNotFiniteEndTheRun() throws {
    struct Broken: PictureSource {
      let count = 4
      func images(at indices: [Int]) -> Tensor {
        Tensor(repeating: .nan, shape: [indices.count, 1, 8, 8])
      }
    }
    let start = try Self.run()
    var settings = start.settings
    settings.replacesNotFinite = false
    var run = Pretraining(start.denoiser, settings: settings, on: Broken())
    #expect { try run.step() } throws: { "\($0)".contains("not finite") }
    #expect(run.seen == 0)
  }

  /// What a run has of a tick goes with one state, and is as exact.
  @Test func anUnfinishedTickIsKept() throws {
    let scratch = try Scratch()
    let directory = try TrainingDirectory(root: scratch.path, name: "x", options: ["seed": 1])
    var tick = UnfinishedTick(start: 64)
    for step in 0..<7 {
      tick.means.add(
        [TrainingFigure("loss", 1 / Double(3 + step))]
          + (step == 0 ? [TrainingFigure("penalty", Double(Float(0.1)))] : []))
    }
    try directory.keep(tick, at: 512)
    #expect(try directory.unfinishedTick(at: 511) == nil)
    let kept = try #require(try directory.unfinishedTick(at: 512))
    #expect(kept.start == 64 && kept.means.figures == tick.means.figures)
    directory.forgetTick()
    #expect(try directory.unfinishedTick(at: 512) == nil)
  }
}
