import TensorCore

/// The discriminator's part of an iteration, which distillation has beside its loss too.
public struct Critic: Sendable {
  enum Purpose: UInt64, StreamPurpose {
    case generatorLatent = 0x21
    case discriminatorLatent = 0x22
    /// Augmentations of the pictures that the generator's step shows, and of generated and real ones in the
    /// discriminator's.
    case generatorView = 0x24
    case fakeView = 0x25
    case realView = 0x26
    /// Noise on the pictures of a view, for networks that see them with some.
    case noise = 0x27
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
  typealias Samples = (generated: Tensor, real: Tensor, labels: Tensor?)

  /// A discriminator's part of a run's state.
  mutating func exchange(with file: inout TrainingState) throws {
    try file.exchange(&learner, weights: "discriminator/weights", owner: "discriminator")
    try file.exchange("discriminator/state", &state)
    try file.exchange("augmentation_probability", &probability)
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
  /// - Returns: the loss, with the penalty where that belongs to every step; what it lies, without the penalty, below
  ///   that of logits of 0; mean logits; and the penalty, without the weight for its interval, in steps that have one.
  /// - Throws: `Divergence` for a loss or gradient that is not finite, and what `samples` throws.
  mutating func step(
    _ positions: Range<Int>, _ samples: @escaping @Sendable (BatchPart) throws -> Samples
  ) throws -> [TrainingFigure] {
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
    var penalty = every == nil ? nil : found.figures[3]
    let gain = Float(settings.loss.chance(networks: networks)) - step.loss + (penalty ?? 0)

    let iteration = settings.iterations(before: positions.lowerBound)
    if let lazy = settings.penalty, lazy.interval > 1, iteration > 0,
      iteration % lazy.interval == 0
    {
      penalty = try stepPenalty(lazy, positions, samples)
    }
    if let augmentation = settings.augmentation {
      probability = augmentation.adapted(
        probability, sign: Double(found.figures[2]), batch: positions.count)
    }
    return [
      TrainingFigure("discriminator_loss", step.loss), TrainingFigure("discriminator_gain", gain),
      TrainingFigure("real_logit", found.figures[0]),
      TrainingFigure("fake_logit", found.figures[1]),
      TrainingFigure("discriminator_gradient", step.norm),
    ] + (penalty.map { [TrainingFigure("penalty", $0)] } ?? [])
  }

  /// The lazy penalty's own step, on pictures as they are: the published code augments none of these.
  private mutating func stepPenalty(
    _ lazy: GradientPenalty, _ positions: Range<Int>,
    _ samples: @escaping @Sendable (BatchPart) throws -> Samples
  ) throws -> Float {
    let found = try batchLoss(at: learner.weights, over: positions) {
      [self] weights, part -> PartLoss<Parameters> in
      let samples = try samples(part)
      var state = state
      func penalty(_ pictures: Tensor, _ view: Purpose) -> Tensor {
        let noise = noise(on: pictures, view, part.positions)
        return lazy(at: pictures) {
          discriminator.logits($0, noise: noise, labels: samples.labels, weights, state: &state)
        }.penalty
      }
      var sum = penalty(samples.real, .realView)
      if lazy.includesGenerated { sum = sum + penalty(clipped(samples.generated), .fakeView) }
      return PartLoss(sum.scaled(by: Float(lazy.interval)), extra: state)
    }
    state = found.extras[0]
    return try step(found, "penalty's ", positions).loss / Float(lazy.interval)
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
  private func clipped(_ pictures: Tensor) -> Tensor {
    settings.clipsPictures ? pictures.clipped(to: 1) : pictures
  }

  private mutating func logits(
    _ pictures: Tensor, _ labels: Tensor?, _ weights: Parameters, _ view: Purpose,
    _ positions: Range<Int>
  ) -> [Tensor] {
    var pictures = clipped(pictures)
    if let augmentation = settings.augmentation {
      pictures = augmentation(
        pictures, probability: probability,
        positions.map { view.stream(seed: settings.seed, $0) })
    }
    return discriminator.logits(
      pictures, noise: noise(on: pictures, view, positions), labels: labels, weights, state: &state)
  }

  /// Standard normal numbers for the pictures of a view; nil where the discriminator adds none.
  private func noise(on pictures: Tensor, _ view: Purpose, _ positions: Range<Int>) -> Tensor? {
    guard discriminator.addsNoise else { return nil }
    return Tensor(
      normal: Array(pictures.shape.dropFirst()),
      from: positions.map {
        RandomStream(
          seed: settings.seed, path: [Purpose.noise.rawValue, view.rawValue, UInt64($0)])
      })
  }
}
