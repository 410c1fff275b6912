import TensorCore

/// A discriminator's term beside a distillation's loss (Kim et al. 2024, section 4, there with an adaptive
/// weight): the student's pictures, those that the loss is about, have to look real too.
///
/// Iterations are the student's step, then one of the discriminator on the pictures of that step and as
/// many real ones.
public struct DistillationAdversary: Sendable {
  let source: any PictureSource
  /// Whether the discriminator is conditioned on classes.
  let isConditional: Bool
  var critic: Critic
  private var order: ShuffledOrder

  /// - Parameters:
  ///   - source: real pictures.
  ///   - settings: those of `criticSettings`.
  public init(
    _ discriminator: any Discriminator, source: any PictureSource,
    settings: AdversarialTraining.Settings, isConditional: Bool
  ) {
    self.source = source
    self.isConditional = isConditional
    critic = Critic(discriminator, settings: settings)
    order = ShuffledOrder(count: source.count, seed: settings.seed)
  }

  /// Which real pictures a batch has beside the student's.
  mutating func pictures(_ positions: Range<Int>) -> BatchPictures {
    BatchPictures(positions, order.samples(positions))
  }

  /// Real pictures of a part, and their classes where they count.
  func real(_ part: BatchPart, of batch: BatchPictures) throws -> (
    pictures: Tensor, labels: Tensor?
  ) {
    (
      try source.images(at: batch[part]),
      isConditional ? try source.labels(at: batch[part]) : nil
    )
  }
}

extension Distillation.Settings {
  /// The settings of a discriminator beside this distillation: `settings` with its seed and batch, so that its
  /// pictures are dealt with those of the same classes, and with its learning rates. The generator's own do nothing.
  public func criticSettings(
    _ settings: AdversarialTraining.Settings
  ) -> AdversarialTraining.Settings {
    var critic = settings
    (critic.seed, critic.batch, critic.total, critic.decay) = (seed, batch, total, decay)
    (critic.freezing, critic.unfrozenRate, critic.startSigma) = (freezing, nil, startSigma)
    critic.generatorRate = learningRate
    critic.discriminatorRate = discriminatorRate ?? learningRate
    return critic
  }
}
