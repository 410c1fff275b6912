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
  ///   - settings: of the discriminator; the generator's own are not used. Seed and batch are those of
  ///     the distillation, so that its pictures are dealt with those of the same classes.
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
