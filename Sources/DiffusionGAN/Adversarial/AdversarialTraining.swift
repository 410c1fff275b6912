import Glibc
import TensorCore

/// A pretrained diffusion network on its way to a one-step generator by a GAN objective alone (GDD,
/// Zheng & Yang 2024; D2O, 2025): everything that changes from step to step, and how.
///
/// One iteration is a step of the generator, `G(z) = D_θ(σ z; σ)` with σ = 80 in the papers, then one of the
/// discriminator with fresh latents. Sample *k* of a run, its latents, real picture and augmentations, depends on the seed
/// and on *k* alone, so a run that is resumed continues to the same bits.
public struct AdversarialTraining: Sendable {
  /// What does not change during a run.
  public struct Settings: Sendable, Equatable {
    public var seed: UInt64
    public var batch: Int
    /// Noise level that the generator is told, and deviation of what it begins with.
    public var startSigma: Float
    public var generatorRate: Float
    public var discriminatorRate: Float
    /// What both rates are multiplied by.
    public var schedule = LearningRate(1)
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
      seed: UInt64 = 0, batch: Int = 64, startSigma: Float = Denoiser.highestSigma,
      generatorRate: Float = 1e-3, discriminatorRate: Float = 1e-3,
      adam: Adam.Settings = Adam.Settings(beta1: 0, beta2: 0.99),
      loss: AdversarialLoss = .nonSaturating, penalty: GradientPenalty? = GradientPenalty(),
      augmentation: Augmentation? = nil, halfLife: Double = 500_000,
      halfLifeRampUp: Double = 0.05
    ) {
      self.seed = seed
      self.batch = batch
      self.startSigma = startSigma
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

  public let denoiser: Denoiser
  public let settings: Settings
  var generator: Learner
  var critic: Critic
  public internal(set) var average: MovingAverage
  /// Samples seen: the position in every random sequence.
  public internal(set) var seen: Int
  private var order = PictureOrder()

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
    self.init(
      denoiser, settings: settings,
      generator: Learner(
        weights: weights,
        optimiser: Adam(weights.filter(names.contains), settings: settings.adam)),
      critic: Critic(discriminator, settings: settings), average: weights, seen: 0)
  }

  init(
    _ denoiser: Denoiser, settings: Settings, generator: Learner, critic: Critic,
    average: Parameters, seen: Int
  ) {
    self.denoiser = denoiser
    self.settings = settings
    self.generator = generator
    self.critic = critic
    self.average = MovingAverage(
      average, halfLife: settings.halfLife, rampUp: settings.halfLifeRampUp)
    self.seen = seen
  }

  /// Probability of each augmentation.
  public var probability: Double { critic.probability }

  /// What an iteration did.
  public struct Step: Sendable {
    public let generatorLoss: Float
    /// Global norm of the generator's gradient.
    public let generatorNorm: Float
    public let critic: Critic.Step
  }

  /// One iteration on the next `batch` samples.
  ///
  /// - Throws: `UserError` for a loss or gradient that is not finite, and whatever `source` throws. The
  ///   run has to be continued from its last saved state then.
  public mutating func step(_ source: some PictureSource) throws -> Step {
    let positions = seen..<seen + settings.batch
    let indices = order.indices(positions, of: source, seed: settings.seed)
    let real = try source.images(at: indices)
    let labels = denoiser.network.configuration.labels > 0 ? try source.labels(at: indices) : nil

    let latents = latents(positions)
    let (loss, norm) = try stepGenerator(
      positions, latents.generator, real: real, labels: labels)
    let generated = denoiser.generated(
      latents.discriminator, generator.weights, conditions(labels), sigma: settings.startSigma)
    let step = try critic.step(generated: generated, real: real, labels: labels, positions)
    average.update(generator.weights, seen: seen, batch: settings.batch)
    seen += settings.batch
    return Step(generatorLoss: loss, generatorNorm: norm, critic: step)
  }

  private mutating func stepGenerator(
    _ positions: Range<Int>, _ latents: Tensor, real: Tensor, labels: Tensor?
  ) throws -> (loss: Float, norm: Float) {
    let (loss, gradients) = valueWithGradient(at: generator.trainable) { trainable in
      let pictures = denoiser.generated(
        latents, generator.weights.replacing(trainable), conditions(labels),
        sigma: settings.startSigma)
      return critic.generatorLoss(of: pictures, real: real, labels: labels, positions)
    }
    try Critic.check(loss, "generator's", gradients, seen: seen)
    generator.optimiser.step(
      &generator.weights, gradients: gradients,
      rate: settings.generatorRate * settings.schedule.value(seen: seen))
    return (loss[0], gradients.globalNorm)
  }

  private func conditions(_ labels: Tensor?) -> UNet.Conditions {
    UNet.Conditions(noise: [], labels: labels)
  }

  /// Standard normal latents of some samples, `[positions, channels, height, width]`, for the
  /// generator's step and for the discriminator's.
  public func latents(
    _ positions: Range<Int>
  ) -> (generator: Tensor, discriminator: Tensor) {
    let configuration = denoiser.network.configuration
    let shape = [configuration.imageChannels, configuration.resolution, configuration.resolution]
    func drawn(_ purpose: Critic.Purpose) -> Tensor {
      Tensor(normal: shape, from: purpose.streams(positions, seed: settings.seed))
    }
    return (drawn(.generatorLatent), drawn(.discriminatorLatent))
  }
}
