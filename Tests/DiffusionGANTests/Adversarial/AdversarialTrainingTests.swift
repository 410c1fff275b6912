import Foundation
import Synchronization
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct AdversarialTrainingTests {
  /// Plain pictures, a little brighter one after the other, about `level` on average.
  struct Flat: PictureSource {
    var level: Float = 0.5
    var count = 24

    func images(at indices: [Int]) -> Tensor {
      Tensor(
        indices.flatMap { [Float](repeating: level + Float($0 - 12) / 100, count: 64) },
        shape: [indices.count, 1, 8, 8])
    }
  }

  static let shape = ImageShape(channels: 1, height: 8, width: 8)
  static let style = ProjectedDiscriminator.Style(
    mixingChannels: 4, headChannels: 8)

  static func pretrained() throws -> NetworkFile {
    let denoiser = try PretrainingTests.run().denoiser
    // Fresh networks end in zeros; a pretrained one does not.
    let weights = denoiser.network.initialParameters(seed: 3).map { name, tensor in
      let stream = RandomStream(seed: 4, path: [UInt64(name.utf8.reduce(0) { $0 + Int($1) })])
      let noise = Tensor(normal: tensor.shape, from: [stream]).reshaped(tensor.shape)
      return tensor + noise.scaled(by: 0.02)
    }
    return NetworkFile(denoiser, weights: weights)
  }

  static func run(
    _ settings: AdversarialTraining.Settings = .init(seed: 5, batch: 6),
    freeze: Freezing = .convolutions, discriminator: (any Discriminator)? = nil,
    on source: some PictureSource = Flat()
  ) throws -> AdversarialTraining {
    let network = try pretrained()
    return AdversarialTraining(
      network.denoiser, weights: network.weights,
      trainable: try freeze.trainableNames(of: network.denoiser.network),
      discriminator: discriminator
        ?? ProjectedDiscriminator(
          [EncoderFeatures(network)], shape: shape, style: style, seed: settings.seed),
      settings: settings, on: source)
  }

  private func sameBits(_ a: Parameters, _ b: Parameters) -> Bool {
    a.names == b.names && zip(a.tensors, b.tensors).allSatisfy { $0.values == $1.values }
  }

  @Test func frozenParametersKeepTheirBits() throws {
    var run = try Self.run()
    let before = run.learner.weights
    for _ in 0..<3 { _ = try run.step() }
    var changed = 0
    for (name, tensor) in run.learner.weights.pairs {
      let isSame = tensor.values == before[name].values
      if Freezing.convolutions.freezes(name) { #expect(isSame, "\(name)") }
      if !isSame { changed += 1 }
    }
    #expect(changed == run.learner.optimiser.means.count)
    #expect(run.learner.optimiser.means.count < before.count)
    #expect(run.seen == 18)
  }

  @Test(arguments: [
    AdversarialTraining.Settings(seed: 5, batch: 6, penalty: GradientPenalty(interval: 2)),
    AdversarialTraining.Settings(
      seed: 5, batch: 6, loss: .relativistic,
      penalty: GradientPenalty(interval: 1, includesGenerated: true)),
    AdversarialTraining.Settings(
      seed: 5, batch: 6, lateBatch: 9, total: 41,
      penalty: GradientPenalty(interval: 3, sumsLogits: true),
      augmentation: Augmentation(
        [.colour, .translation, .cutout], adaptive: 60)),
  ])
  func resumedRunContinuesToTheSameBits(settings: AdversarialTraining.Settings) throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("adversarial-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    var whole = try Self.run(settings)
    for _ in 0..<3 { _ = try whole.step() }
    try whole.save(to: path)
    for _ in 0..<4 { _ = try whole.step() }
    var second = try Self.run(settings)
    try second.resume(from: path)
    for _ in 0..<4 { _ = try second.step() }
    #expect(second.seen == whole.seen && second.critic.probability == whole.critic.probability)
    #expect(sameBits(second.learner.weights, whole.learner.weights))
    #expect(sameBits(second.critic.learner.weights, whole.critic.learner.weights))
    #expect(sameBits(second.critic.state, whole.critic.state))
    #expect(sameBits(second.average.weights, whole.average.weights))
    var other = settings
    other.seed = 6
    var reseeded = try Self.run(other)
    #expect(throws: UserError.self) { try reseeded.resume(from: path) }
  }

  /// From the middle of a run on, with the penalty every n-th iteration as before.
  @Test func aLateBatchIsOfTheSecondHalf() throws {
    let settings = AdversarialTraining.Settings(
      seed: 5, batch: 6, lateBatch: 9, total: 40, penalty: GradientPenalty(interval: 2))
    var run = try Self.run(settings)
    var (seen, penalties) = ([Int](), [Int]())
    for iteration in 0..<7 {
      if try run.step().contains(where: { $0.name == "penalty" }) { penalties.append(iteration) }
      seen.append(run.seen)
      #expect(settings.iterations(before: run.seen) == iteration + 1)
    }
    #expect(seen == [6, 12, 18, 24, 33, 42, 51] && penalties == [2, 4, 6])
    #expect(!settings.isOpenEnded)
  }

  /// Keeps the noise that it is given.
  private final class NoiseSpy: Discriminator {
    let seen = Mutex<[[Float]]>([])
    let addsNoise = true

    func initialParameters(seed: UInt64) -> Parameters {
      Parameters([("w", Tensor([1], shape: [1]))])
    }
    func initialState(seed: UInt64) -> Parameters { Parameters([]) }

    func logits(
      _ pictures: Tensor, noise: Tensor?, labels: Tensor?, _ weights: Parameters,
      state: inout Parameters
    ) -> [Tensor] {
      let count = pictures.shape[0]
      let values = noise?.values ?? []
      seen.withLock { seen in
        for row in 0..<count where noise?.shape == pictures.shape {
          let size = values.count / count
          seen.append(Array(values[row * size..<(row + 1) * size]))
        }
      }
      return [
        (pictures.reshaped([count, -1]).mean(over: [1]) * weights["w"]).reshaped([count, 1])
      ]
    }
  }

  /// Every picture of every view has noise of its own, the same in a run that is repeated; the penalty's step sees the
  /// real ones as the discriminator's did.
  @Test func noiseIsOfTheSampleAndTheView() throws {
    func noise() throws -> [[Float]] {
      let spy = NoiseSpy()
      var run = try Self.run(
        .init(seed: 5, batch: 4, penalty: GradientPenalty(interval: 2)), discriminator: spy)
      for _ in 0..<3 { _ = try run.step() }
      return spy.seen.withLock { $0 }
    }
    let found = try noise()
    // Three views of four pictures in each of three iterations, and the penalty of the last.
    #expect(found.count == 40 && Set(found).count == 36)
    #expect(Set(try noise()) == Set(found))
    let all = found.joined()
    #expect(abs(all.reduce(0, +) / Float(all.count)) < 0.1)
  }

  /// Whatever the discriminator's networks see noise of.
  @Test(arguments: [0, 0.5] as [Float])
  func sameBitsForAnyNumberOfThreads(noise: Float) throws {
    let features = EncoderFeatures(try Self.pretrained(), noise: noise)
    let results = try [1, 3].map { threads in
      try Compute.$pool.withValue(ThreadPool(count: threads)) {
        var run = try Self.run(
          .init(seed: 5, batch: 6, penalty: GradientPenalty(interval: 1)),
          discriminator: ProjectedDiscriminator(
            [features], shape: Self.shape, style: Self.style, seed: 5))
        for _ in 0..<2 { _ = try run.step() }
        return run
      }
    }
    #expect(sameBits(results[0].learner.weights, results[1].learner.weights))
    #expect(sameBits(results[0].critic.learner.weights, results[1].critic.learner.weights))
  }

  @Test func picturesComeNearTheData() throws {
    var run = try Self.run(
      .init(
        seed: 5, batch: 12, generatorRate: 2e-3, discriminatorRate: 2e-3,
        penalty: GradientPenalty(gamma: 0.1, interval: 4), halfLife: 100),
      freeze: .none,
      discriminator: ConvolutionalDiscriminator(shape: Self.shape, channels: 8))
    func distance() throws -> Float {
      try abs(SeededSampling(run.generator)((0..<32).map { UInt64($0) }).mean()[0] - 0.5)
    }
    let before = try distance()
    for _ in 0..<60 { _ = try run.step() }
    #expect(try distance() < 0.5 * before)
  }

  @Test func ratesFallToNothing() throws {
    var settings = AdversarialTraining.Settings(seed: 5, batch: 6)
    (settings.total, settings.decay) = (12, 0.5)
    var run = try Self.run(settings)
    var before = run
    for isMoving in [true, true, false] {
      before = run
      _ = try run.step()
      #expect(sameBits(before.learner.weights, run.learner.weights) != isMoving)
      #expect(sameBits(before.critic.learner.weights, run.critic.learner.weights) != isMoving)
    }
  }

  /// Not in the first iteration, then every second.
  @Test func penaltyIsDueAtItsInterval() throws {
    var run = try Self.run(.init(seed: 5, batch: 6, penalty: GradientPenalty(interval: 2)))
    let hasPenalty = try (0..<5).map { _ in try run.step()["penalty"] != nil }
    #expect(hasPenalty == [false, false, true, false, true])
  }

  /// With weights that hardly move, the penalty is of the same pictures whatever the losses look at; one that belongs to
  /// the step sees what the step sees.
  @Test(arguments: [1, 2])
  func lazyPenaltyIsOfPicturesAsTheyAre(interval: Int) throws {
    let penalties = try [nil, Augmentation([.colour, .cutout])].map { augmentation in
      var run = try Self.run(
        .init(
          seed: 5, batch: 6, generatorRate: 1e-12, penalty: GradientPenalty(interval: interval),
          augmentation: augmentation))
      for _ in 0..<2 { _ = try run.step() }
      return try #require(try run.step()["penalty"])
    }
    let difference = abs(penalties[0] - penalties[1]) / penalties[0]
    #expect(interval == 2 ? difference < 1e-4 : difference > 1e-2, "\(difference)")
  }

  /// Pictures beyond −1…1 look to the discriminator as those at the edge, if it sees them as they are stored, and nothing
  /// draws them back.
  @Test(arguments: [true, false])
  func whatIsCutOffIsNotSeen(clips: Bool) throws {
    var settings = AdversarialTraining.Settings(seed: 5, batch: 6)
    settings.clipsPictures = clips
    let critic = try Self.run(settings).critic
    let pictures = Tensor(normal: [1, 8, 8], from: [RandomStream(seed: 9, path: [1])])
    func loss(_ x: Tensor) -> Tensor {
      // Each forward pass of a discriminator moves its state.
      var critic = critic
      return critic.generatorLoss(of: x, real: x, labels: nil, 0..<1)
    }
    let isOutside = pictures.values.map { abs($0) > 1 }
    #expect(isOutside.contains(true) && isOutside.contains(false))
    #expect((loss(pictures)[0] == loss(pictures.clipped(to: 1))[0]) == clips)
    let slope = gradient(at: pictures) { loss($0) }.values
    #expect(zip(slope, isOutside).contains { $0 != 0 && $1 } == !clips)
    #expect(zip(slope, isOutside).contains { $0 != 0 && !$1 })
  }

  @Test func generatorBeginsAtItsNoiseLevel() throws {
    var settings = AdversarialTraining.Settings(seed: 5, batch: 6)
    settings.startSigma = 1
    var (low, high) = (try Self.run(settings), try Self.run())
    #expect(try low.step()[0] != high.step()[0])
  }

  @Test func lossThatIsNotFiniteIsSaid() throws {
    var run = try Self.run(on: Flat(level: .nan))
    let error = #expect(throws: Divergence.self) { try run.step() }
    #expect(error?.finding.contains("loss is not finite after 0 images") == true)
  }

  /// Of one picture nothing is nearer to it than usual.
  @Test(arguments: [1, 2])
  func nearDuplicatesAreLookedForAmongSeveral(count: Int) throws {
    var run = try Self.run(on: Flat(count: count))
    run.seen = 1_998
    #expect(try (run.step()["near_duplicates"] != nil) == (count > 1))
  }
}
