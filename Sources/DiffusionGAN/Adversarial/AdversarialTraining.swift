import TensorCore

/// A pretrained diffusion network on its way to a one-step generator by a GAN objective alone (GDD,
/// Zheng & Yang 2024; D2O, 2025): everything that changes from step to step, and how.
///
/// One iteration is a step of the generator, `G(z) = D_θ(σ z; σ)` with σ = 80 in the papers, then one of the
/// discriminator with fresh latents, and every n-th time one of its gradient penalty. Sample *k* of a run, its latents,
/// real picture and augmentations, depends on the seed and on *k* alone, so a run that is resumed continues to the same
/// bits.
public struct AdversarialTraining: GeneratorTraining, Sendable {
  public let denoiser: Denoiser
  public let settings: Settings
  /// The generator's.
  var learner: Learner
  var critic: Critic
  public internal(set) var average: MovingAverage
  public internal(set) var seen = 0
  private let source: any PictureSource
  private var order: ShuffledOrder
  /// What pictures are compared by when near duplicates are looked for; their pixels if nil.
  private let features: (any FeatureNetwork)?

  /// Samples between two looks for near duplicates, and pictures looked at.
  private static let lookInterval = 2000
  private static let looked = 128

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - weights: the generator's first ones, of `denoiser`'s network.
  ///   - trainable: names of the parameters that training changes; the others stay as they are.
  ///   - source: real pictures, with labels where the network has classes.
  ///   - features: what pictures are compared by when near duplicates are looked for; their pixels if nil.
  public init(
    _ denoiser: Denoiser, weights: Parameters, trainable: [String],
    discriminator: any Discriminator, settings: Settings, on source: any PictureSource,
    features: (any FeatureNetwork)? = nil
  ) {
    let names = Set(trainable)
    self.denoiser = denoiser
    self.settings = settings
    self.source = source
    self.features = features
    order = ShuffledOrder(count: source.count, seed: settings.seed)
    learner = Learner(weights, settings: settings.adam, isTrained: names.contains)
    critic = Critic(discriminator, settings: settings)
    average = MovingAverage(
      weights, halfLife: settings.halfLife, rampUp: settings.halfLifeRampUp)
  }

  /// The one-step generator so far.
  public var generator: NetworkFile {
    NetworkFile(denoiser, weights: average.weights, startSigma: settings.startSigma)
  }

  public var remedy: String { Critic.lowerRates }

  public var collapseRemedy: String? {
    "begin anew with a lower --learning-rate or more frozen (--freeze 1), and another --out"
  }

  public func advice(_ figures: [TrainingFigure]) -> [String] {
    AdversarialHealth(figures, seen: seen).advice
  }

  /// An iteration, and now and then a look for near duplicates.
  public mutating func step() throws -> [TrainingFigure] {
    let before = seen
    var figures = try iterate()
    if seen / Self.lookInterval > before / Self.lookInterval, let share = try nearDuplicates() {
      figures.append(TrainingFigure("near_duplicates", share))
    }
    return figures
  }

  /// One iteration on the samples of the next batch.
  ///
  /// - Throws: `Divergence` for a loss or gradient that is not finite, and whatever the source throws. The
  ///   run has to be continued from its last saved state then.
  public mutating func iterate() throws -> [TrainingFigure] {
    let positions = seen..<seen + settings.batch(after: seen)
    // Shuffles for all parts and for the next step.
    _ = order.samples(positions)
    let found = try batchLoss(at: learner.trainable, over: positions) {
      [self] trainable, part -> PartLoss<Parameters> in
      let real = try source.samples(at: order.numbers(at: part.positions))
      let generated = generated(
        .generatorLatent, learner.weights.replacing(trainable), part.positions, real.labels)
      var critic = critic
      let loss = critic.generatorLoss(
        of: generated, real: real.pictures, labels: real.labels, part.positions)
      return PartLoss(loss, extra: critic.state)
    }
    critic.state = found.extras[0]
    let step = try learner.step(
      found, rate: settings.generatorRate * settings.schedule.value(seen: seen), seen: seen,
      of: "generator's ", advice: remedy)

    var figures = [
      TrainingFigure("generator_loss", step.loss), TrainingFigure("generator_gradient", step.norm),
    ]
    figures += try critic.step(positions) { [self] part in
      let real = try source.samples(at: order.numbers(at: part.positions))
      let generated = generated(
        .discriminatorLatent, learner.weights, part.positions, real.labels)
      return (generated, real.pictures, real.labels)
    }
    if settings.augmentation?.adaptive != nil {
      figures.append(TrainingFigure("augmentation_probability", critic.probability))
    }

    average.update(learner.weights, seen: seen, batch: positions.count)
    seen = positions.upperBound
    return figures
  }

  public mutating func exchange(with state: inout TrainingState) throws {
    try state.exchange(seed: settings.seed, of: denoiser)
    try state.exchange("seen", &seen)
    try state.exchange(&learner, owner: "generator")
    try state.exchange("average", &average)
    try critic.exchange(with: &state)
  }

  /// The share of near duplicates among the pictures of the averaged weights; nil where there is only one real picture
  /// to compare with.
  private func nearDuplicates() throws -> Double? {
    let count = min(Self.looked, source.count)
    guard count > 1 else { return nil }
    let drawn = try SeededSampling(generator)((0..<count).map { UInt64($0) })
    try Divergence.check(pictures: drawn, seen: seen, advice: collapseRemedy ?? remedy)
    let real = try source.images(at: Array(0..<count))
    func vectors(_ pictures: Tensor) -> Tensor {
      features?.vectors(pictures) ?? pictures.reshaped([count, -1])
    }
    return NearDuplicates.share(generated: vectors(drawn), real: vectors(real))
  }

  /// One call on the latents that some samples have for the generator's step or for the discriminator's,
  /// `[positions, channels, height, width]`.
  private func generated(
    _ purpose: Critic.Purpose, _ weights: Parameters, _ positions: Range<Int>, _ labels: Tensor?
  ) -> Tensor {
    denoiser.generated(
      latents(purpose, positions), weights, UNet.Conditions(noise: [], labels: labels),
      sigma: settings.startSigma)
  }

  /// Standard normal latents of some samples, `[positions, channels, height, width]`, for the
  /// generator's step and for the discriminator's.
  public func latents(_ positions: Range<Int>) -> (generator: Tensor, discriminator: Tensor) {
    (latents(.generatorLatent, positions), latents(.discriminatorLatent, positions))
  }

  private func latents(_ purpose: Critic.Purpose, _ positions: Range<Int>) -> Tensor {
    let configuration = denoiser.network.configuration
    return Tensor(
      normal: [configuration.imageChannels, configuration.resolution, configuration.resolution],
      from: positions.map { purpose.stream(seed: settings.seed, $0) })
  }
}
