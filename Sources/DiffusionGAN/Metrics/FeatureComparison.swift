import TensorCore

/// Generated images against real ones in one space of features, and the floor beside it.
public struct FeatureComparison: Sendable {
  /// `pixels`, or the network's name.
  public let name: String
  /// What happened to images before the network saw them.
  public let preprocessing: String
  public let dimension: Int
  public let generated: SampleQuality
  /// Other real images, measured alike.
  public let floor: SampleQuality
  /// What the network, a classifier, takes the images for.
  public let labels: PredictedLabels?
  /// Each class by itself, where generated and real images have labels of the same classes.
  public let classes: [ClassQuality]

  /// - Parameters:
  ///   - space: of this reference and floor.
  ///   - watch: told the number of generated images looked at; may throw to stop.
  /// - Throws: `UserError` for images that the network cannot look at and for features that are not finite.
  public init(
    _ sets: EvaluationSets, in space: FeatureSpace, watch: (Int) throws -> Void = { _ in }
  ) throws {
    precondition(
      space.reference.features.rows == sets.reference.count && space.floor.rows == sets.floor.count)
    let found = try ImageFeatures(
      of: sets.generated, by: space.network, pool: space.pool, watch: watch)
    name = space.network.name
    preprocessing = space.network.preprocessing
    dimension = found.vectors.columns
    generated = try space.quality(of: found.vectors)
    floor = space.floorQuality
    labels = found.labels.map {
      PredictedLabels(
        generated: $0, reference: space.predicted.reference, floor: space.predicted.floor,
        classes: space.network.classCount, of: sets)
    }
    // A classifier of other classes recognises none of these.
    classes = space.classes(
      of: sets, found.vectors, taken: labels?.areOfTheData == true ? found.labels ?? [] : [])
  }
}

/// Classes that a classifier finds among generated images and among real ones: its mistakes are on
/// both sides.
public struct PredictedLabels: Sendable {
  /// Images of each class.
  public let generated: [Int]
  public let reference: [Int]
  public let totalVariation: Double
  public let coverage: ModeCoverage
  /// Of as many other real images.
  public let floorCoverage: ModeCoverage
  /// Whether the classifier's classes are those of the data: as many, and right for most real images. One that was
  /// trained on other data has classes, and numbers of them, of its own.
  public let areOfTheData: Bool

  /// - Parameters:
  ///   - generated, reference, floor: the class of each image.
  ///   - sets: the images.
  init(
    generated: [Int], reference: [Int], floor: [Int], classes: Int, of sets: EvaluationSets
  ) {
    let right = zip(reference, sets.reference.labels ?? []).count { $0 == $1 }
    areOfTheData = sets.reference.classCount == classes && 2 * right > reference.count
    self.generated = LabelHistogram.counts(generated, classes: classes)
    self.reference = LabelHistogram.counts(reference, classes: classes)
    totalVariation = LabelHistogram.totalVariation(self.generated, self.reference)
    let shares = areOfTheData ? sets.classSizes : nil
    coverage = ModeCoverage(self.generated, data: shares)
    floorCoverage = ModeCoverage(
      LabelHistogram.counts(floor, classes: classes), data: shares)
  }
}
