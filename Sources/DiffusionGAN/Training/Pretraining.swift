import TensorCore

/// Training of a diffusion model (Karras et al. 2022): everything that changes from step to step, and
/// how.
///
/// Sample *k* of a run, its picture, augmentation, noise level, noise and dropout, depends on the
/// seed and on *k* alone, so a run that is resumed continues to the same bits.
public struct Pretraining: GeneratorTraining, Sendable {
  public let denoiser: Denoiser
  public let settings: Settings
  public internal(set) var learner: Learner
  public internal(set) var average: MovingAverage
  public internal(set) var seen = 0
  private let source: any PictureSource
  private var order: ShuffledOrder

  /// A run that has not begun.
  ///
  /// - Precondition: with augmentation, the network takes the labels of `GeometricTransform`.
  public init(_ denoiser: Denoiser, settings: Settings, on source: any PictureSource) {
    precondition(
      settings.augmentation == 0
        || denoiser.network.configuration.augmentLabels == GeometricTransform.labelCount,
      "augmentation for a network without its labels")
    let weights = denoiser.network.initialParameters(seed: settings.seed)
    let names = Set(denoiser.network.trainableNames)
    self.denoiser = denoiser
    self.settings = settings
    self.source = source
    order = ShuffledOrder(count: source.count, seed: settings.seed)
    learner = Learner(weights, settings: settings.adam, isTrained: names.contains)
    average = MovingAverage(
      weights, halfLife: settings.halfLife, rampUp: settings.halfLifeRampUp)
  }

  public var remedy: String { Divergence.lookAtData }

  public var generator: NetworkFile { NetworkFile(denoiser, weights: average.weights) }

  /// One step on the next `batch` samples; its loss is the weighted squared error, mean over samples and
  /// pixels.
  ///
  /// - Throws: `Divergence` for a loss that is not finite, or a gradient, if these are not replaced;
  ///   whatever the source throws. The run is then as before.
  public mutating func step() throws -> [TrainingFigure] {
    let positions = seen..<seen + settings.batch
    // Shuffles for all parts and for the next step.
    _ = order.samples(positions)
    let found = try batchLoss(at: learner.trainable, over: positions) {
      [self] trainable, part -> PartLoss<Int> in
      let real = try source.samples(at: order.numbers(at: part.positions))
      let (clean, augmentLabels) = augmented(real.pictures, part.positions)
      let (noisy, sigma) = corrupted(clean, part.positions)
      let dropout =
        denoiser.network.configuration.dropout > 0
        ? Dropout(
          seed: RandomStream(seed: settings.seed, path: [RandomPurpose.dropout.rawValue]).first,
          samples: Array(part.positions)) : nil
      let conditions = UNet.Conditions(
        noise: [], labels: real.labels, augmentLabels: augmentLabels, dropout: dropout)
      let loss = settings.loss(
        denoiser, learner.weights.replacing(trainable), clean: clean, noisy: noisy, sigma: sigma,
        conditions)
      return PartLoss(loss, extra: clean.count / sigma.count)
    }
    let step = try learner.step(
      found, rate: settings.schedule.value(seen: seen), seen: seen, advice: remedy,
      care: Learner.Care(
        norm: settings.gradientNorm ?? .infinity,
        replacesNotFinite: settings.replacesNotFinite))
    average.update(learner.weights, seen: seen, batch: settings.batch)
    seen += settings.batch
    return [
      TrainingFigure("loss", step.loss / Float(found.extras[0])),
      TrainingFigure("gradient", step.norm), TrainingFigure("learning_rate", step.rate),
    ]
  }

  public mutating func exchange(with state: inout TrainingState) throws {
    try state.exchange(seed: settings.seed, of: denoiser)
    try state.exchange("seen", &seen)
    try state.exchange(&learner)
    try state.exchange("average", &average)
  }

  /// Pictures as the network is to learn them, and their labels of augmentation.
  private func augmented(_ pictures: Tensor, _ positions: Range<Int>) -> (Tensor, Tensor?) {
    guard settings.augmentation > 0 else { return (pictures, nil) }
    let transforms = positions.map { position in
      var stream = RandomPurpose.augmentation.stream(seed: settings.seed, position)
      return GeometricTransform(probability: settings.augmentation, from: &stream)
    }
    let (warped, labels) = PictureWarp.apply(transforms, to: pictures)
    return (warped, labels)
  }

  /// Pictures with noise, and its deviation for each.
  private func corrupted(_ clean: Tensor, _ positions: Range<Int>) -> (Tensor, [Float]) {
    var streams = positions.map { RandomPurpose.noise.stream(seed: settings.seed, $0) }
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
