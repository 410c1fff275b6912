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
    let classes = (network as? Classifier)?.network.configuration.classes
    labels = classes.map { PredictedLabels(generated: found[1], reference: found[0], classes: $0) }
  }
}

/// Classes that a classifier finds among generated images and among real ones: its mistakes are on
/// both sides.
public struct PredictedLabels: Sendable {
  /// Images of each class.
  public let generated: [Int]
  public let reference: [Int]
  public let totalVariation: Double

  init(generated: [Int], reference: [Int], classes: Int) {
    func histogram(_ labels: [Int]) -> [Int] {
      labels.reduce(into: [Int](repeating: 0, count: classes)) { $0[$1] += 1 }
    }
    self.generated = histogram(generated)
    self.reference = histogram(reference)
    totalVariation = LabelHistogram.totalVariation(self.generated, self.reference)
  }
}
