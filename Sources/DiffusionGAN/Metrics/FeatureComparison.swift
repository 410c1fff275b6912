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
  ///   - network: where the features come from; the pixels themselves if nil.
  ///   - seed: which subsets the kernel distance is averaged over.
  ///   - pool: threads; the result does not depend on their number.
  ///   - watch: told the number of images looked at, of all three sets; may throw to stop.
  /// - Throws: `UserError` for images that the network cannot look at, for too few images and for
  ///   features that are not finite.
  public init(
    _ sets: EvaluationSets, by network: (any FeatureNetwork)?, seed: UInt64, pool: ThreadPool,
    watch: (Int) throws -> Void = { _ in }
  ) throws {
    let images = [sets.reference, sets.generated, sets.floor]
    var vectors: [Tensor] = []
    var found: [[Int]] = []
    if let network {
      var done = 0
      for data in images {
        let features = try Compute.$pool.withValue(pool) {
          try ImageFeatures(of: data, by: network) { try watch(done + $0) }
        }
        done += data.count
        vectors.append(features.vectors)
        if let labels = features.labels { found.append(labels) }
      }
    } else {
      vectors = images.map(\.pixelFeatures)
    }
    name = network?.name ?? PixelFeatures.name
    preprocessing = network?.preprocessing ?? PixelFeatures.preprocessing
    dimension = vectors[0].columns
    generated = try SampleQuality(
      generated: vectors[1], reference: vectors[0], seed: seed, pool: pool)
    floor = try SampleQuality(
      generated: vectors[2], reference: vectors[0], seed: seed, pool: pool)
    labels = (network as? any LabellingNetwork).map {
      PredictedLabels(
        generated: found[1], reference: found[0], floor: found[2], classes: $0.classCount,
        of: sets)
    }
    classes = Self.classes(
      sets, vectors, predicted: labels?.areOfTheData == true ? found : [], pool)
  }
}

extension FeatureComparison {
  /// - Parameters: `vectors` and `predicted`: of reference, generated and floor, in this order; none predicted by a
  ///   classifier of other classes, which recognises none of these.
  private static func classes(
    _ sets: EvaluationSets, _ vectors: [Tensor], predicted: [[Int]], _ pool: ThreadPool
  ) -> [ClassQuality] {
    let count = sets.reference.classCount
    let data = [sets.reference, sets.generated, sets.floor]
    guard (1...ClassQuality.mostClasses).contains(count),
      data.allSatisfy({ $0.classCount == count })
    else { return [] }
    let images = data.indices.map { set in
      ClassQuality.Images(
        vectors: vectors[set], labels: data[set].labels ?? [],
        predicted: predicted.isEmpty ? [] : predicted[set])
    }
    return ClassQuality.of(
      generated: images[1], reference: images[0], floor: images[2], classes: count, pool: pool)
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
    func histogram(_ labels: [Int]) -> [Int] {
      labels.reduce(into: [Int](repeating: 0, count: classes)) { $0[$1] += 1 }
    }
    self.generated = histogram(generated)
    self.reference = histogram(reference)
    totalVariation = LabelHistogram.totalVariation(self.generated, self.reference)
    let shares = areOfTheData ? sets.classSizes : nil
    coverage = ModeCoverage(self.generated, data: shares)
    floorCoverage = ModeCoverage(histogram(floor), data: shares)
  }
}
