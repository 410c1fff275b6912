import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// Stripes of three directions, of any phase and with noise.
@Suite struct ClassifierTrainingTests {
  typealias Kind = ClassifierConfiguration.Kind

  static func stripes(_ count: Int, seed: UInt64) throws -> ImageDataset {
    var stream = RandomStream(seed: seed, path: [1])
    var pixels: [UInt8] = []
    for index in 0..<count {
      let phase = stream.integer(below: 4)
      for place in 0..<64 {
        let (row, column) = (place / 8, place % 8)
        let directions = [row, column, row + column]
        let isLight = (directions[index % 3] + phase) / 2 % 2 == 0
        let grey = isLight ? 180 : 20
        pixels.append(UInt8(grey + stream.integer(below: 60)))
      }
    }
    return try ImageDataset(
      name: "stripes", shape: ImageShape(channels: 1, height: 8, width: 8), pixels: pixels,
      labels: (0..<count).map { $0 % 3 }, classCount: 3)
  }

  static func training(_ kind: Kind, batch: Int = 16) throws -> ClassifierTraining {
    let data = try stripes(60, seed: 1)
    return try ClassifierTraining(
      ClassifierNetwork(.small(kind, data.shape, classes: 3)),
      settings: ClassifierTraining.Settings(
        seed: 3, batch: batch, total: 640, learningRate: 3e-3, rampUp: 64, decay: 0, shift: 1),
      on: data, test: stripes(90, seed: 2))
  }

  @Test(arguments: Kind.allCases) func learnsWhatItIsTold(_ kind: Kind) throws {
    var training = try Self.training(kind)
    let losses = try (0..<60).map { _ in try training.step()[0].value }
    let (first, last) = (losses.prefix(10).reduce(0, +), losses.suffix(10).reduce(0, +))
    #expect(last < 0.5 * first)
    let figures = try training.measureSnapshot()
    #expect(figures.map(\.name) == ["test_accuracy", "test_accuracy_low", "test_accuracy_high"])
    #expect(figures[0].value > 0.8)
    #expect(figures[1].value < figures[0].value && figures[0].value <= figures[2].value)
  }

  @Test(arguments: Kind.allCases) func aResumedRunContinuesToTheSameBits(_ kind: Kind) throws {
    let scratch = try Scratch()
    let path = scratch.file("state.safetensors")
    var whole = try Self.training(kind)
    for _ in 0..<3 { _ = try whole.step() }
    try whole.save(to: path)
    for _ in 0..<4 { _ = try whole.step() }
    var resumed = try Self.training(kind)
    try resumed.resume(from: path)
    #expect(resumed.seen == 48)
    // Another number of threads too.
    try Compute.$pool.withValue(ThreadPool(count: 3)) {
      for _ in 0..<4 { _ = try resumed.step() }
    }
    #expect(
      resumed.learner.weights.tensors.map(\.values) == whole.learner.weights.tensors.map(\.values))

    var settings = whole.settings
    settings.seed = 4
    var reseeded = try ClassifierTraining(
      whole.network, settings: settings, on: Self.stripes(60, seed: 1))
    expectUserError(path, "seed 3") { try reseeded.resume(from: path) }
    var other = try Self.training(kind == .plain ? .residual : .plain)
    expectUserError(path, "another classifier") { try other.resume(from: path) }
  }

  @Test func dataThatDoNotFitAreRefused() throws {
    let training = try Self.training(.plain)
    func run(_ data: ImageDataset) throws {
      _ = try ClassifierTraining(training.network, settings: training.settings, on: data)
    }
    let data = try Self.stripes(6, seed: 1)
    let bare = try ImageDataset(name: "bare", shape: data.shape, pixels: data.pixels)
    expectUserError("bare", "labels") { try run(bare) }
    let large = try ImageDataset(
      name: "large", shape: ImageShape(channels: 1, height: 16, width: 16),
      pixels: Array(data.pixels[..<256]), labels: [0])
    expectUserError("1×16×16") { try run(large) }
  }

  @Test func featuresDoNotDependOnTheThreads() throws {
    let training = try Self.training(.plain)
    let data = try Self.stripes(40, seed: 3)
    var done: [Int] = []
    let features = try ImageFeatures(of: data, by: training.classifier) { done.append($0) }
    let again = try ImageFeatures(
      of: data, by: training.classifier, pool: ThreadPool(count: 1))
    #expect(features.vectors.shape == [40, 64] && done.last == 40)
    #expect(features.vectors.values == again.vectors.values)
    #expect(features.labels == again.labels && features.labels?.count == 40)
  }
}
