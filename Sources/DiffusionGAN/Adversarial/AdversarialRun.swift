import Foundation
import TensorCore

/// Adversarial training on a set of pictures, with an eye on its health.
public struct AdversarialRun: ResumableTraining {
  public private(set) var training: AdversarialTraining
  private let source: any PictureSource
  /// What pictures are compared by when near duplicates are looked for; their pixels if nil.
  private let features: (any FeatureNetwork)?

  /// Samples between two looks for near duplicates, and pictures looked at.
  private static let lookInterval = 2000
  private static let looked = 128

  public init(
    _ training: AdversarialTraining, on source: any PictureSource,
    features: (any FeatureNetwork)?
  ) {
    self.training = training
    self.source = source
    self.features = features
  }

  public var seen: Int { training.seen }

  private static let collapse =
    "begin anew with a lower --learning-rate or more frozen (--freeze 1), and another --out"

  public mutating func step() throws -> [TrainingFigure] {
    let before = seen
    let step = try training.step(source)
    var figures = [
      TrainingFigure("generator_loss", Double(step.generator.loss)),
      TrainingFigure("generator_gradient", Double(step.generator.norm)),
    ]
    figures += step.critic.figures
    if training.settings.augmentation?.adaptive != nil {
      figures.append(TrainingFigure("augmentation_probability", training.probability))
    }
    if seen / Self.lookInterval > before / Self.lookInterval {
      figures.append(TrainingFigure("near_duplicates", try nearDuplicates()))
    }
    return figures
  }

  /// The share of near duplicates among the pictures of the averaged weights.
  private func nearDuplicates() throws -> Double {
    let count = min(Self.looked, source.count)
    let drawn = try SeededSampling(generator)((0..<count).map { UInt64($0) })
    try Divergence.check(pictures: drawn, seen: seen, advice: Self.collapse)
    let real = try source.images(at: Array(0..<count))
    func vectors(_ pictures: Tensor) -> Tensor {
      features?.vectors(pictures) ?? pictures.reshaped([count, -1])
    }
    return NearDuplicates.share(generated: vectors(drawn), real: vectors(real))
  }

  /// The one-step generator so far, of the averaged weights.
  private var generator: NetworkFile {
    NetworkFile(
      training.denoiser, weights: training.average.weights,
      startSigma: training.settings.startSigma)
  }

  public func save(to path: String) throws { try training.save(to: path) }

  /// The generator, and a grid of what it draws in one call each.
  public func writeSnapshot(in directory: TrainingDirectory) throws {
    let pictures = try SeededSampling(generator)((0..<64).map { UInt64($0) })
    try Divergence.check(pictures: pictures, seen: seen, advice: Self.collapse)
    try generator.write(to: directory.file("snapshot", seen: seen, "safetensors"))
    let path = directory.file("fakes", seen: seen, "png")
    try PictureGrid.picture(of: pictures, place: path).write(to: path)
  }

  public func check(_ figures: [TrainingFigure]) throws {
    try Divergence.check(figures, seen: seen, advice: Critic.lowerRates)
  }

  public func advice(_ figures: [TrainingFigure]) -> [String] {
    AdversarialHealth(figures, seen: seen).advice
  }
}

extension Critic.Step {
  var figures: [TrainingFigure] {
    [
      TrainingFigure("discriminator_loss", Double(learner.loss)),
      TrainingFigure("discriminator_gain", Double(gain)),
      TrainingFigure("real_logit", realLogit), TrainingFigure("fake_logit", fakeLogit),
      TrainingFigure("discriminator_gradient", Double(learner.norm)),
    ] + (penalty.map { [TrainingFigure("penalty", Double($0))] } ?? [])
  }
}
