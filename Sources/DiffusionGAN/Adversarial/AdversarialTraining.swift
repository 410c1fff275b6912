import Glibc
import TensorCore

/// A pretrained diffusion network on its way to a one-step generator by a GAN objective alone (GDD,
/// Zheng & Yang 2024; D2O, 2025): everything that changes from step to step, and how.
///
/// One iteration is a step of the generator, `G(z) = D_θ(80 z; 80)`, then one of the discriminator with
/// fresh latents. Sample *k* of a run, its latents, real picture and augmentations, depends on the seed
/// and on *k* alone, so a run that is resumed continues to the same bits.
public struct AdversarialTraining: Sendable {
  /// What does not change during a run.
  public struct Settings: Sendable, Equatable {
    public var seed: UInt64
    public var batch: Int
    public var generatorRate: Float
    public var discriminatorRate: Float
    /// Of both optimisers, before the correction for lazy regularisation.
    public var adam: Adam.Settings
    public var loss: AdversarialLoss
    public var penalty: GradientPenalty?
    public var augmentation: Augmentation?
    /// Half-life of the average of the generator's weights, in samples, and the largest share of the
    /// samples seen that it may be.
    public var halfLife: Double
    public var halfLifeRampUp: Double

    public init(
      seed: UInt64 = 0, batch: Int = 64, generatorRate: Float = 1e-3,
      discriminatorRate: Float = 1e-3,
      adam: Adam.Settings = Adam.Settings(beta1: 0, beta2: 0.99),
      loss: AdversarialLoss = .nonSaturating, penalty: GradientPenalty? = GradientPenalty(),
      augmentation: Augmentation? = nil, halfLife: Double = 500_000,
      halfLifeRampUp: Double = 0.05
    ) {
      self.seed = seed
      self.batch = batch
      self.generatorRate = generatorRate
      self.discriminatorRate = discriminatorRate
      self.adam = adam
      self.loss = loss
      self.penalty = penalty
      self.augmentation = augmentation
      self.halfLife = halfLife
      self.halfLifeRampUp = halfLifeRampUp
    }

    /// Interval of lazy regularisation; 1 where the penalty, if any, belongs to every step.
    var interval: Int { penalty?.interval ?? 1 }

    /// With a step of its own for the penalty every n-th iteration, rate and decay are corrected by
    /// n / (n + 1) (Karras et al. 2020, StyleGAN2).
    private var correction: Double {
      interval > 1 ? Double(interval) / Double(interval + 1) : 1
    }

    var correctedDiscriminatorRate: Float { discriminatorRate * Float(correction) }

    var discriminatorAdam: Adam.Settings {
      var result = adam
      result.beta1 = pow(adam.beta1, correction)
      result.beta2 = pow(adam.beta2, correction)
      return result
    }
  }

  /// A network that learns, with its optimiser.
  struct Learner: Sendable {
    var weights: Parameters
    var optimiser: Adam

    var trainable: Parameters { weights.filter(optimiser.means.contains) }
  }

  public let denoiser: Denoiser
  public let discriminator: any Discriminator
  public let settings: Settings
  var generator: Learner
  var critic: Learner
  /// What a forward pass of the discriminator changes beside its weights.
  var criticState: Parameters
  public internal(set) var average: MovingAverage
  /// Samples seen: the position in every random sequence.
  public internal(set) var seen: Int
  /// Probability of each augmentation.
  public internal(set) var probability: Double
  private var order: ShuffledOrder?

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - weights: the generator's first ones, of `denoiser`'s network.
  ///   - trainable: names of the parameters that training changes; the others stay as they are and
  ///     cost neither a gradient nor the activations it would need.
  public init(
    _ denoiser: Denoiser, weights: Parameters, trainable: [String],
    discriminator: any Discriminator, settings: Settings
  ) {
    let names = Set(trainable)
    let criticWeights = discriminator.initialParameters(seed: settings.seed)
    self.init(
      denoiser, discriminator, settings: settings,
      generator: Learner(
        weights: weights,
        optimiser: Adam(weights.filter(names.contains), settings: settings.adam)),
      critic: Learner(
        weights: criticWeights,
        optimiser: Adam(criticWeights, settings: settings.discriminatorAdam)),
      criticState: discriminator.initialState(seed: settings.seed), average: weights, seen: 0,
      probability: settings.augmentation?.adaptive == nil ? 1 : 0)
  }

  init(
    _ denoiser: Denoiser, _ discriminator: any Discriminator, settings: Settings,
    generator: Learner, critic: Learner, criticState: Parameters, average: Parameters, seen: Int,
    probability: Double
  ) {
    self.denoiser = denoiser
    self.discriminator = discriminator
    self.settings = settings
    self.generator = generator
    self.critic = critic
    self.criticState = criticState
    self.average = MovingAverage(
      average, halfLife: settings.halfLife, rampUp: settings.halfLifeRampUp)
    self.seen = seen
    self.probability = probability
  }

  /// What an iteration did.
  public struct Step: Sendable {
    public let generatorLoss: Float
    public let discriminatorLoss: Float
    /// Mean logits of real and generated pictures in the discriminator's step.
    public let realLogit: Double
    public let fakeLogit: Double
    /// The penalty, without its weight; nil in iterations without.
    public let penalty: Float?
    /// Global norms of the gradients.
    public let generatorNorm: Float
    public let discriminatorNorm: Float
  }

  /// What a stream of a run is for: the first part of its path.
  private enum Purpose: UInt64 {
    case generatorLatent = 0x21, discriminatorLatent, label, generatorView, fakeView, realView
    case penaltyView, difference
  }

  /// One iteration on the next `batch` samples.
  ///
  /// - Throws: `UserError` for a loss or gradient that is not finite, and whatever `source` throws. The
  ///   run is then as before.
  public mutating func step(_ source: some PictureSource) throws -> Step {
    let before = self
    do { return try iterate(source) } catch {
      self = before
      throw error
    }
  }

  private mutating func iterate(_ source: some PictureSource) throws -> Step {
    var order = self.order ?? ShuffledOrder(count: source.count, seed: settings.seed)
    precondition(
      order.count == source.count,
      "a run on \(order.count) pictures continued on \(source.count)")
    let positions = seen..<seen + settings.batch
    let indices = order.samples(positions).map(\.index)
    self.order = order
    let real = try source.images(at: indices)
    let labels = denoiser.network.configuration.labels > 0 ? try source.labels(at: indices) : nil

    let generatorStep = try stepGenerator(positions, real: real, labels: labels)
    let criticStep = try stepDiscriminator(positions, real: real, labels: labels)
    var penalty = criticStep.penalty
    if let lazy = settings.penalty, lazy.interval > 1,
      seen / settings.batch % lazy.interval == 0
    {
      penalty = try stepPenalty(lazy, positions, real: real, labels: labels)
    }
    average.update(generator.weights, seen: seen, batch: settings.batch)
    if let augmentation = settings.augmentation {
      probability = augmentation.adapted(
        probability, sign: criticStep.sign, batch: settings.batch)
    }
    seen += settings.batch
    return Step(
      generatorLoss: generatorStep.loss, discriminatorLoss: criticStep.loss,
      realLogit: criticStep.real, fakeLogit: criticStep.fake, penalty: penalty,
      generatorNorm: generatorStep.norm, discriminatorNorm: criticStep.norm)
  }

  private mutating func stepGenerator(
    _ positions: Range<Int>, real: Tensor, labels: Tensor?
  ) throws -> (loss: Float, norm: Float) {
    let latents = latents(.generatorLatent, positions, like: real)
    var state = criticState
    // Real pictures matter to the relativistic loss alone, as constants.
    let realLogits =
      settings.loss == .relativistic
      ? logits(real, labels, critic.weights, &state, .realView, positions) : []
    let (loss, gradients) = valueWithGradient(at: generator.trainable) { trainable in
      let pictures = denoiser.generated(
        latents, generator.weights.replacing(trainable), conditions(labels))
      let fake = logits(pictures, labels, critic.weights, &state, .generatorView, positions)
      return settings.loss.generator(fake: fake, real: realLogits)
    }
    criticState = state
    try check(loss, "generator's", gradients)
    generator.optimiser.step(
      &generator.weights, gradients: gradients, rate: settings.generatorRate)
    return (loss[0], gradients.globalNorm)
  }

  private mutating func stepDiscriminator(
    _ positions: Range<Int>, real: Tensor, labels: Tensor?
  ) throws -> (
    loss: Float, norm: Float, real: Double, fake: Double, sign: Double, penalty: Float?
  ) {
    let generated = denoiser.generated(
      latents(.discriminatorLatent, positions, like: real), generator.weights,
      conditions(labels))
    var state = criticState
    var found: (real: [Tensor], fake: [Tensor]) = ([], [])
    var penalty: Tensor?
    let every = settings.interval == 1 ? settings.penalty : nil
    let (loss, gradients) = valueWithGradient(at: critic.weights) { weights in
      func judged(_ pictures: Tensor, _ view: Purpose) -> [Tensor] {
        guard let every, view == .realView || every.includesGenerated else {
          return logits(pictures, labels, weights, &state, view, positions)
        }
        let found = every(
          at: pictures, noise: { self.latents(.difference, positions, like: pictures) }
        ) { logits($0, labels, weights, &state, view, positions) }
        penalty = penalty.map { $0 + found.penalty } ?? found.penalty
        return found.logits
      }
      let fake = judged(generated, .fakeView)
      let real = judged(real, .realView)
      found = (real.map { $0.detached() }, fake.map { $0.detached() })
      let loss = settings.loss.discriminator(fake: fake, real: real)
      return penalty.map { loss + $0 } ?? loss
    }
    criticState = state
    try check(loss, "discriminator's", gradients)
    critic.optimiser.step(
      &critic.weights, gradients: gradients, rate: settings.correctedDiscriminatorRate)
    let values = found.real.flatMap(\.values)
    let sign = values.reduce(0.0) { $0 + ($1 > 0 ? 1 : -1) } / Double(max(values.count, 1))
    return (
      loss[0], gradients.globalNorm, found.real.meanLogit, found.fake.meanLogit, sign,
      penalty?.detached()[0]
    )
  }

  /// The lazy penalty's own step.
  private mutating func stepPenalty(
    _ penalty: GradientPenalty, _ positions: Range<Int>, real: Tensor, labels: Tensor?
  ) throws -> Float {
    var state = criticState
    let generated =
      penalty.includesGenerated
      ? denoiser.generated(
        latents(.discriminatorLatent, positions, like: real), generator.weights,
        conditions(labels)) : nil
    let (value, gradients) = valueWithGradient(at: critic.weights) { weights in
      func part(_ pictures: Tensor) -> Tensor {
        penalty(
          at: pictures, noise: { self.latents(.difference, positions, like: pictures) }
        ) { logits($0, labels, weights, &state, .penaltyView, positions) }.penalty
      }
      let sum = generated.map { part(real) + part($0) } ?? part(real)
      return sum.scaled(by: Float(penalty.interval))
    }
    criticState = state
    try check(value, "penalty's", gradients)
    critic.optimiser.step(
      &critic.weights, gradients: gradients, rate: settings.correctedDiscriminatorRate)
    return value[0] / Float(penalty.interval)
  }

  private func check(_ loss: Tensor, _ whose: String, _ gradients: Parameters) throws {
    guard loss[0].isFinite else {
      throw UserError(
        "the \(whose) loss is not finite after \(seen) images",
        remedy: "the last saved state is kept; lower the rates")
    }
    try gradients.checkFinite("the \(whose) gradient")
  }

  private func conditions(_ labels: Tensor?) -> UNet.Conditions {
    UNet.Conditions(noise: [], labels: labels)
  }

  private func logits(
    _ pictures: Tensor, _ labels: Tensor?, _ weights: Parameters, _ state: inout Parameters,
    _ view: Purpose, _ positions: Range<Int>
  ) -> [Tensor] {
    var pictures = pictures
    if let augmentation = settings.augmentation {
      pictures = augmentation(
        pictures, probability: probability, streams(view, positions))
    }
    return discriminator.logits(pictures, labels: labels, weights, state: &state)
  }

  private func latents(
    _ purpose: Purpose, _ positions: Range<Int>, like pictures: Tensor
  ) -> Tensor {
    Tensor(normal: Array(pictures.shape.dropFirst()), from: streams(purpose, positions))
  }

  private func streams(_ purpose: Purpose, _ positions: Range<Int>) -> [RandomStream] {
    positions.map { RandomStream(seed: settings.seed, path: [purpose.rawValue, UInt64($0)]) }
  }
}
