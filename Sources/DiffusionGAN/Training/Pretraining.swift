import TensorCore

/// Training of a diffusion model (Karras et al. 2022): everything that changes from step to step, and
/// how.
///
/// Sample *k* of a run, its picture, augmentation, noise level, noise and dropout, depends on the
/// seed and on *k* alone, so a run that is resumed continues to the same bits.
public struct Pretraining: Sendable {
  /// What does not change during a run.
  public struct Settings: Sendable, Equatable {
    public var seed: UInt64
    public var batch: Int
    public var rate: LearningRate
    public var adam: Adam.Settings
    public var loss: DenoisingLoss
    /// Probability of each operation of `GeometricTransform`, which the network is told of; 0 for
    /// none.
    public var augmentation: Double
    /// Half-life of the average of the weights, in samples, and the largest share of the samples
    /// seen that it may be.
    public var halfLife: Double
    public var halfLifeRampUp: Double?
    /// Largest global norm of the gradients; none if nil.
    public var gradientNorm: Float?
    /// Whether NaN and infinities among the gradients are replaced, as in the EDM code, or end the run.
    public var replacesNotFinite: Bool

    public init(
      seed: UInt64 = 0, batch: Int = 64, rate: LearningRate = LearningRate(1e-3),
      adam: Adam.Settings = Adam.Settings(), loss: DenoisingLoss = DenoisingLoss(),
      augmentation: Double = 0,
      halfLife: Double = 500_000, halfLifeRampUp: Double? = 0.05, gradientNorm: Float? = nil,
      replacesNotFinite: Bool = true
    ) {
      self.seed = seed
      self.batch = batch
      self.rate = rate
      self.adam = adam
      self.loss = loss
      self.augmentation = augmentation
      self.halfLife = halfLife
      self.halfLifeRampUp = halfLifeRampUp
      self.gradientNorm = gradientNorm
      self.replacesNotFinite = replacesNotFinite
    }
  }

  public let denoiser: Denoiser
  public let settings: Settings
  public internal(set) var weights: Parameters
  public internal(set) var average: MovingAverage
  public internal(set) var optimiser: Adam
  /// Samples seen: the position in every random sequence.
  public internal(set) var seen: Int
  private var order = PictureOrder()

  /// A run that has not begun.
  ///
  /// - Precondition: with augmentation, the network takes the labels of `GeometricTransform`.
  public init(_ denoiser: Denoiser, settings: Settings) {
    precondition(
      settings.augmentation == 0
        || denoiser.network.configuration.augmentLabels == GeometricTransform.labelCount,
      "augmentation of a network that is not told of it")
    let weights = denoiser.network.initialParameters(seed: settings.seed)
    let names = Set(denoiser.network.trainableNames)
    self.init(
      denoiser, settings: settings, weights: weights,
      average: MovingAverage(
        weights, halfLife: settings.halfLife, rampUp: settings.halfLifeRampUp),
      optimiser: Adam(weights.filter(names.contains), settings: settings.adam), seen: 0)
  }

  init(
    _ denoiser: Denoiser, settings: Settings, weights: Parameters, average: MovingAverage,
    optimiser: Adam, seen: Int
  ) {
    self.denoiser = denoiser
    self.settings = settings
    self.weights = weights
    self.average = average
    self.optimiser = optimiser
    self.seen = seen
  }

  /// What a step did.
  public struct Step: Sendable {
    /// The weighted squared error, mean over samples and pixels.
    public let loss: Float
    /// Global norm of the gradient, before it is clipped.
    public let norm: Float
    /// Learning rate that the step was taken with.
    public let rate: Float
  }

  /// One step on the next `batch` samples.
  ///
  /// - Throws: `Divergence` for a loss that is not finite; `UserError` naming the parameter whose
  ///   gradient is not, if they are not replaced; whatever `source` throws. The state is then as
  ///   before.
  public mutating func step(_ source: some PictureSource) throws -> Step {
    let positions = seen..<seen + settings.batch
    let indices = order.indices(positions, of: source, seed: settings.seed)
    let (clean, augmentLabels) = augmented(try source.images(at: indices), positions)
    let labels = try source.labels(at: indices)
    let (noisy, sigma) = corrupted(clean, positions)
    let dropout =
      denoiser.network.configuration.dropout > 0
      ? Dropout(
        seed: RandomStream(seed: settings.seed, path: [RandomPurpose.dropout.rawValue]).first,
        samples: Array(positions)) : nil
    let conditions = UNet.Conditions(
      noise: [], labels: labels, augmentLabels: augmentLabels, dropout: dropout)

    let (loss, found) = valueWithGradient(at: trainable) { trainable in
      settings.loss(
        denoiser, weights.replacing(trainable), clean: clean, noisy: noisy, sigma: sigma,
        conditions)
    }
    try Divergence.check(loss: loss[0], seen: seen, advice: PretrainingRun.advice)
    var gradients = found
    if settings.replacesNotFinite {
      gradients = gradients.replacingNotFinite()
    } else {
      try gradients.checkFinite("the gradient")
    }
    let norm: Float
    (gradients, norm) = gradients.clipped(toNorm: settings.gradientNorm ?? .infinity)
    let rate = settings.rate.value(seen: seen)
    optimiser.step(&weights, gradients: gradients, rate: rate)
    average.update(weights, seen: seen, batch: settings.batch)
    seen += settings.batch
    return Step(loss: loss[0] / Float(clean.count / settings.batch), norm: norm, rate: rate)
  }

  private var trainable: Parameters { weights.filter(optimiser.means.contains) }

  /// Pictures as the network is to learn them, and what it is told of that.
  private func augmented(_ pictures: Tensor, _ positions: Range<Int>) -> (Tensor, Tensor?) {
    guard settings.augmentation > 0 else { return (pictures, nil) }
    let transforms = positions.map { position in
      var stream = RandomStream(
        seed: settings.seed, path: [RandomPurpose.augmentation.rawValue, UInt64(position)])
      return GeometricTransform(probability: settings.augmentation, from: &stream)
    }
    let (warped, labels) = PictureWarp.apply(transforms, to: pictures)
    return (warped, labels)
  }

  /// Pictures with noise, and its deviation for each.
  private func corrupted(_ clean: Tensor, _ positions: Range<Int>) -> (Tensor, [Float]) {
    var streams = positions.map {
      RandomStream(seed: settings.seed, path: [RandomPurpose.noise.rawValue, UInt64($0)])
    }
    let sigma = streams.indices.map { settings.loss.sigma(streams[$0].normal()) }
    let noise = Tensor(normal: Array(clean.shape.dropFirst()), from: streams)
    return (clean + noise * Tensor(sigma, shape: [sigma.count, 1, 1, 1]), sigma)
  }
}

extension RandomStream {
  /// A number that stands for the whole stream.
  fileprivate var first: UInt64 {
    var copy = self
    return copy.next()
  }
}
