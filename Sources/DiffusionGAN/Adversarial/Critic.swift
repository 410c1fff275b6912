import TensorCore

/// The discriminator of a run: everything of it that changes from step to step, and how.
public struct Critic: Sendable {
  /// What a stream of a run is for: the first part of its path.
  enum Purpose: UInt64 {
    case generatorLatent = 0x21, discriminatorLatent, label, generatorView, fakeView, realView
    case difference = 0x28

    func streams(_ positions: Range<Int>, seed: UInt64) -> [RandomStream] {
      positions.map { RandomStream(seed: seed, path: [rawValue, UInt64($0)]) }
    }

    /// Standard normal numbers of the shape of `pictures`.
    func normal(like pictures: Tensor, _ positions: Range<Int>, seed: UInt64) -> Tensor {
      Tensor(normal: Array(pictures.shape.dropFirst()), from: streams(positions, seed: seed))
    }
  }

  let discriminator: any Discriminator
  let settings: AdversarialTraining.Settings
  var learner: Learner
  /// What a forward pass changes beside the weights.
  var state: Parameters
  /// Probability of each augmentation.
  var probability: Double

  public init(_ discriminator: any Discriminator, settings: AdversarialTraining.Settings) {
    let weights = discriminator.initialParameters(seed: settings.seed)
    self.discriminator = discriminator
    self.settings = settings
    learner = Learner(
      weights: weights, optimiser: Adam(weights, settings: settings.discriminatorAdam))
    state = discriminator.initialState(seed: settings.seed)
    probability = settings.augmentation?.adaptive == nil ? 1 : 0
  }

  /// What a step did.
  public struct Step: Sendable {
    public let loss: Float
    /// Global norm of the gradient.
    public let norm: Float
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

  /// The generator's loss, a single number.
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
  /// - Parameter generated: constants.
  /// - Throws: `UserError` for a loss or gradient that is not finite.
  mutating func step(
    generated: Tensor, real: Tensor, labels: Tensor?, _ positions: Range<Int>
  ) throws -> Step {
    var step = try stepLoss(generated: generated, real: real, labels: labels, positions)
    let iteration = positions.lowerBound / settings.batch
    if let lazy = settings.penalty, lazy.interval > 1, iteration > 0,
      iteration % lazy.interval == 0
    {
      step.penalty = try stepPenalty(
        lazy, generated: generated, real: real, labels: labels, positions)
    }
    if let augmentation = settings.augmentation {
      probability = augmentation.adapted(probability, sign: step.sign, batch: settings.batch)
    }
    return step
  }

  private mutating func stepLoss(
    generated: Tensor, real: Tensor, labels: Tensor?, _ positions: Range<Int>
  ) throws -> Step {
    var found: (real: [Tensor], fake: [Tensor]) = ([], [])
    var penalty: Tensor?
    let every = settings.interval == 1 ? settings.penalty : nil
    let (loss, gradients) = valueWithGradient(at: learner.weights) { weights in
      func judged(_ pictures: Tensor, _ view: Purpose) -> [Tensor] {
        guard let every, view == .realView || every.includesGenerated else {
          return logits(pictures, labels, weights, view, positions)
        }
        let noise = difference(positions, like: pictures)
        let found = every(at: pictures, noise: noise) {
          logits($0, labels, weights, view, positions)
        }
        penalty = penalty.map { $0 + found.penalty } ?? found.penalty
        return found.logits
      }
      let fake = judged(generated, .fakeView)
      let real = judged(real, .realView)
      found = (real.map { $0.detached() }, fake.map { $0.detached() })
      let loss = settings.loss.discriminator(fake: fake, real: real)
      return penalty.map { loss + $0 } ?? loss
    }
    try update(loss, "discriminator's", gradients, seen: positions.lowerBound)
    let values = found.real.flatMap(\.values)
    let chance = settings.loss.chance(networks: found.real.count)
    return Step(
      loss: loss[0], norm: gradients.globalNorm, realLogit: found.real.meanLogit,
      fakeLogit: found.fake.meanLogit, penalty: penalty?.detached()[0],
      gain: Float(chance) - loss[0] + (penalty?.detached()[0] ?? 0),
      sign: values.reduce(0.0) { $0 + ($1 > 0 ? 1 : -1) } / Double(max(values.count, 1)))
  }

  /// The lazy penalty's own step, on pictures as they are: the published code augments none of these.
  private mutating func stepPenalty(
    _ penalty: GradientPenalty, generated: Tensor, real: Tensor, labels: Tensor?,
    _ positions: Range<Int>
  ) throws -> Float {
    let (value, gradients) = valueWithGradient(at: learner.weights) { weights in
      func part(_ pictures: Tensor) -> Tensor {
        let noise = difference(positions, like: pictures)
        return penalty(at: pictures, noise: noise) {
          discriminator.logits($0, labels: labels, weights, state: &state)
        }.penalty
      }
      let sum = penalty.includesGenerated ? part(real) + part(generated) : part(real)
      return sum.scaled(by: Float(penalty.interval))
    }
    try update(value, "penalty's", gradients, seen: positions.lowerBound)
    return value[0] / Float(penalty.interval)
  }

  private mutating func update(
    _ loss: Tensor, _ whose: String, _ gradients: Parameters, seen: Int
  ) throws {
    try Self.check(loss, whose, gradients, seen: seen)
    learner.optimiser.step(
      &learner.weights, gradients: gradients,
      rate: settings.correctedDiscriminatorRate * settings.schedule.value(seen: seen))
  }

  static func check(_ loss: Tensor, _ whose: String, _ gradients: Parameters, seen: Int) throws {
    guard loss[0].isFinite else {
      throw UserError(
        "the \(whose) loss is not finite after \(seen) images",
        remedy: "the last saved state is kept; lower the rates")
    }
    try gradients.checkFinite("the \(whose) gradient")
  }

  private func difference(_ positions: Range<Int>, like pictures: Tensor) -> () -> Tensor {
    { [seed = settings.seed] in
      Purpose.difference.normal(like: pictures, positions, seed: seed)
    }
  }

  private mutating func logits(
    _ pictures: Tensor, _ labels: Tensor?, _ weights: Parameters, _ view: Purpose,
    _ positions: Range<Int>
  ) -> [Tensor] {
    var pictures = pictures
    if let augmentation = settings.augmentation {
      pictures = augmentation(
        pictures, probability: probability, view.streams(positions, seed: settings.seed))
    }
    return discriminator.logits(pictures, labels: labels, weights, state: &state)
  }
}
