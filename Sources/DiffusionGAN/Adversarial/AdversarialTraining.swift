import TensorCore

/// A pretrained diffusion network on its way to a one-step generator by a GAN objective alone (GDD,
/// Zheng & Yang 2024; D2O, 2025): everything that changes from step to step, and how.
///
/// One iteration is a step of the generator, `G(z) = D_θ(σ z; σ)` with σ = 80 in the papers, then one of the
/// discriminator with fresh latents, and every n-th time one of its gradient penalty. Sample *k* of a run, its latents,
/// real picture and augmentations, depends on the seed and on *k* alone, so a run that is resumed continues to the same
/// bits.
public struct AdversarialTraining: Sendable {
  public let denoiser: Denoiser
  public let settings: Settings
  var generator: Learner
  var critic: Critic
  public internal(set) var average: MovingAverage
  /// Samples seen: the position in every random sequence.
  public internal(set) var seen = 0
  private var order = PictureOrder()

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - weights: the generator's first ones, of `denoiser`'s network.
  ///   - trainable: names of the parameters that training changes; the others stay as they are.
  public init(
    _ denoiser: Denoiser, weights: Parameters, trainable: [String],
    discriminator: any Discriminator, settings: Settings
  ) {
    let names = Set(trainable)
    self.denoiser = denoiser
    self.settings = settings
    generator = Learner(weights, settings: settings.adam, isTrained: names.contains)
    critic = Critic(discriminator, settings: settings)
    average = MovingAverage(
      weights, halfLife: settings.halfLife, rampUp: settings.halfLifeRampUp)
  }

  /// Probability of each augmentation.
  public var probability: Double { critic.probability }

  /// What an iteration did.
  public struct Step: Sendable {
    public let generator: Learner.Step
    public let critic: Critic.Step
  }

  /// One iteration on the next `batch` samples.
  ///
  /// - Throws: `Divergence` for a loss or gradient that is not finite, and whatever `source` throws. The
  ///   run has to be continued from its last saved state then.
  public mutating func step(_ source: some PictureSource) throws -> Step {
    let positions = seen..<seen + settings.batch
    let pictures = order.pictures(positions, of: source, seed: settings.seed)
    let isConditional = denoiser.network.configuration.labels > 0
    /// The real pictures of a part, and their classes where the network has them.
    @Sendable func real(_ part: BatchPart) throws -> (pictures: Tensor, labels: Tensor?) {
      (
        try source.images(at: pictures[part]),
        isConditional ? try source.labels(at: pictures[part]) : nil
      )
    }

    let found = try batchLoss(at: generator.trainable, over: positions) {
      [self] trainable, part -> PartLoss<Parameters> in
      let real = try real(part)
      let generated = generated(
        .generatorLatent, generator.weights.replacing(trainable), part.positions, real.labels)
      var critic = critic
      let loss = critic.generatorLoss(
        of: generated, real: real.pictures, labels: real.labels, part.positions)
      return PartLoss(loss, extra: critic.state)
    }
    critic.state = found.extras[0]
    let step = try generator.step(
      found, rate: settings.generatorRate * settings.schedule.value(seen: seen), seen: seen,
      of: "generator's ", advice: Critic.lowerRates)

    let criticStep = try critic.step(positions) { [self] part in
      let real = try real(part)
      let generated = generated(
        .discriminatorLatent, generator.weights, part.positions, real.labels)
      return Critic.Samples(generated: generated, real: real.pictures, labels: real.labels)
    }

    average.update(generator.weights, seen: seen, batch: settings.batch)
    seen += settings.batch
    return Step(generator: step, critic: criticStep)
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
      from: purpose.streams(positions, seed: settings.seed))
  }
}

/// The discriminator's part of an iteration, which distillation has beside its loss too.
public struct Critic: Sendable {
  /// What a stream of a run is for: the first part of its path.
  enum Purpose: UInt64 {
    case generatorLatent = 0x21, discriminatorLatent, label, generatorView, fakeView, realView

    func streams(_ positions: Range<Int>, seed: UInt64) -> [RandomStream] {
      positions.map { RandomStream(seed: seed, path: [rawValue, UInt64($0)]) }
    }
  }

  let discriminator: any Discriminator
  let settings: AdversarialTraining.Settings
  var learner: Learner
  /// What a forward pass changes beside the weights.
  var state: Parameters
  /// Probability of each augmentation.
  var probability: Double

  static let lowerRates = "begin anew with lower learning rates and another --out"

  public init(_ discriminator: any Discriminator, settings: AdversarialTraining.Settings) {
    self.discriminator = discriminator
    self.settings = settings
    learner = Learner(
      discriminator.initialParameters(seed: settings.seed), settings: settings.discriminatorAdam)
    state = discriminator.initialState(seed: settings.seed)
    probability = settings.augmentation?.adaptive == nil ? 1 : 0
  }

  /// What a step of the discriminator sees of a part: constants.
  struct Samples: Sendable {
    let generated: Tensor
    let real: Tensor
    let labels: Tensor?
  }

  /// What a step did.
  public struct Step: Sendable {
    /// With the penalty where that belongs to every step.
    public let learner: Learner.Step
    /// Mean logits of real and generated pictures.
    public let realLogit: Double
    public let fakeLogit: Double
    /// The penalty, without the weight for its interval; nil in steps without.
    public internal(set) var penalty: Float?
    /// What the loss, without the penalty, lies below that of logits of 0.
    public let gain: Float
    /// Mean sign of the logits of real pictures.
    let sign: Double
  }

  /// The generator's loss on a part of the batch, a single number.
  ///
  /// - Parameters:
  ///   - pictures: the generator's, differentiable.
  ///   - real: matter to the relativistic loss alone, as constants.
  ///   - positions: of the samples in the run; random augmentations depend on them.
  mutating func generatorLoss(
    of pictures: Tensor, real: Tensor, labels: Tensor?, _ positions: Range<Int>
  ) -> Tensor {
    let realLogits =
      settings.loss == .relativistic
      ? logits(real, labels, learner.weights, .realView, positions) : []
    let fake = logits(pictures, labels, learner.weights, .generatorView, positions)
    return settings.loss.generator(fake: fake, real: realLogits)
  }

  /// A step of the discriminator, and where it is due one of the lazy penalty.
  ///
  /// - Throws: `Divergence` for a loss or gradient that is not finite, and what `samples` throws.
  mutating func step(
    _ positions: Range<Int>, _ samples: @escaping @Sendable (BatchPart) throws -> Samples
  ) throws -> Step {
    var step = try stepLoss(positions, samples)
    let iteration = positions.lowerBound / settings.batch
    if let lazy = settings.penalty, lazy.interval > 1, iteration > 0,
      iteration % lazy.interval == 0
    {
      step.penalty = try stepPenalty(lazy, positions, samples)
    }
    if let augmentation = settings.augmentation {
      probability = augmentation.adapted(probability, sign: step.sign, batch: settings.batch)
    }
    return step
  }

  private mutating func stepLoss(
    _ positions: Range<Int>, _ samples: @escaping @Sendable (BatchPart) throws -> Samples
  ) throws -> Step {
    let every = settings.interval == 1 ? settings.penalty : nil
    let found = try batchLoss(at: learner.weights, over: positions) {
      [self] weights, part -> PartLoss<(state: Parameters, networks: Int)> in
      let samples = try samples(part)
      var critic = self
      var penalty: Tensor?
      func logits(_ pictures: Tensor, _ view: Purpose) -> [Tensor] {
        guard let every, view == .realView || every.includesGenerated else {
          return critic.logits(pictures, samples.labels, weights, view, part.positions)
        }
        let found = every(at: pictures) {
          critic.logits($0, samples.labels, weights, view, part.positions)
        }
        penalty = penalty.map { $0 + found.penalty } ?? found.penalty
        return found.logits
      }
      let fake = logits(samples.generated, .fakeView)
      let real = logits(samples.real, .realView)
      let loss = settings.loss.discriminator(fake: fake, real: real)
      let values = real.flatMap { $0.detached().values }
      let sign = values.reduce(0) { $0 + ($1 > 0 ? 1 : -1) } / Float(max(values.count, 1))
      let cost = penalty?.detached()[0] ?? 0
      return PartLoss(
        penalty.map { loss + $0 } ?? loss,
        figures: [Float(real.meanLogit), Float(fake.meanLogit), sign, cost],
        extra: (critic.state, real.count))
    }
    let (state, networks) = found.extras[0]
    self.state = state
    let step = try step(found, "discriminator's ", positions)
    let chance = settings.loss.chance(networks: networks)
    let cost = every == nil ? nil : found.figures[3]
    return Step(
      learner: step, realLogit: Double(found.figures[0]), fakeLogit: Double(found.figures[1]),
      penalty: cost, gain: Float(chance) - step.loss + (cost ?? 0), sign: Double(found.figures[2]))
  }

  /// The lazy penalty's own step, on pictures as they are: the published code augments none of these.
  private mutating func stepPenalty(
    _ penalty: GradientPenalty, _ positions: Range<Int>,
    _ samples: @escaping @Sendable (BatchPart) throws -> Samples
  ) throws -> Float {
    let found = try batchLoss(at: learner.weights, over: positions) {
      [self] weights, part -> PartLoss<Parameters> in
      let samples = try samples(part)
      var state = state
      func slope(_ pictures: Tensor) -> Tensor {
        penalty(at: pictures) {
          discriminator.logits($0, labels: samples.labels, weights, state: &state)
        }.penalty
      }
      let sum =
        penalty.includesGenerated
        ? slope(samples.real) + slope(seen(samples.generated)) : slope(samples.real)
      return PartLoss(sum.scaled(by: Float(penalty.interval)), extra: state)
    }
    state = found.extras[0]
    return try step(found, "penalty's ", positions).loss / Float(penalty.interval)
  }

  private mutating func step(
    _ found: BatchLoss<Parameters, some Sendable>, _ whose: String, _ positions: Range<Int>
  ) throws -> Learner.Step {
    let seen = positions.lowerBound
    return try learner.step(
      found, rate: settings.correctedDiscriminatorRate * settings.schedule.value(seen: seen),
      seen: seen, of: whose, advice: Self.lowerRates)
  }

  /// Pictures as they are stored, if the settings say so.
  private func seen(_ pictures: Tensor) -> Tensor {
    settings.clipsPictures ? pictures.clipped(to: 1) : pictures
  }

  private mutating func logits(
    _ pictures: Tensor, _ labels: Tensor?, _ weights: Parameters, _ view: Purpose,
    _ positions: Range<Int>
  ) -> [Tensor] {
    var pictures = seen(pictures)
    if let augmentation = settings.augmentation {
      pictures = augmentation(
        pictures, probability: probability, view.streams(positions, seed: settings.seed))
    }
    return discriminator.logits(pictures, labels: labels, weights, state: &state)
  }
}
