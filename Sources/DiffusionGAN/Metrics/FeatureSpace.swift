import TensorCore

/// One space of features, and the real images there that generated ones are compared with. Looked at once, however many
/// sets are compared.
public struct FeatureSpace: Sendable {
  /// Nil for the pixels themselves.
  let network: (any FeatureNetwork)?
  let reference: RealManifold
  let floor: Tensor
  /// What a classifier takes the images for; empty for other networks.
  let predicted: (reference: [Int], floor: [Int])
  let floorQuality: SampleQuality
  private let seed: UInt64
  private let pool: ThreadPool

  /// - Parameters:
  ///   - reference, floor: real images, and others.
  ///   - network: where the features come from; the pixels themselves if nil.
  ///   - seed: which subsets the kernel distance is averaged over.
  ///   - pool: threads; the result does not depend on their number.
  ///   - watch: told the number of images looked at, of both sets; may throw to stop.
  /// - Throws: `UserError` for images that the network cannot look at, for too few images and for
  ///   features that are not finite.
  public init(
    reference: ImageDataset, floor: ImageDataset, by network: (any FeatureNetwork)?, seed: UInt64,
    pool: ThreadPool, watch: (Int) throws -> Void = { _ in }
  ) throws {
    (self.network, self.seed, self.pool) = (network, seed, pool)
    let real = try Self.look(at: reference, network, pool, watch)
    let other = try Self.look(at: floor, network, pool) { try watch(reference.count + $0) }
    self.reference = RealManifold(real.vectors, pool: pool)
    self.floor = other.vectors
    predicted = (real.labels, other.labels)
    floorQuality = try SampleQuality(
      generated: other.vectors, reference: self.reference, seed: seed, pool: pool)
  }

  /// `pixels`, or the network's name.
  public var name: String { network?.name ?? PixelFeatures.name }
  var preprocessing: String { network?.preprocessing ?? PixelFeatures.preprocessing }

  /// The features `[images, dimension]` of some images, and what a classifier takes them for.
  func look(
    at images: ImageDataset, _ watch: (Int) throws -> Void
  ) throws -> (vectors: Tensor, labels: [Int]) {
    try Self.look(at: images, network, pool, watch)
  }

  private static func look(
    at images: ImageDataset, _ network: (any FeatureNetwork)?, _ pool: ThreadPool,
    _ watch: (Int) throws -> Void
  ) throws -> (vectors: Tensor, labels: [Int]) {
    guard let network else { return (images.pixelFeatures, []) }
    let found = try Compute.$pool.withValue(pool) {
      try ImageFeatures(of: images, by: network, watch: watch)
    }
    return (found.vectors, found.labels ?? [])
  }

  func quality(of vectors: Tensor) throws -> SampleQuality {
    try SampleQuality(generated: vectors, reference: reference, seed: seed, pool: pool)
  }

  /// The quality of each class, where generated and real images have labels of the same classes.
  ///
  /// - Parameters:
  ///   - generated: the features of the generated images.
  ///   - taken: what a classifier of these classes takes them for; empty where there is none.
  func classes(
    of sets: EvaluationSets, _ generated: Tensor, taken: [Int]
  ) -> [ClassQuality] {
    let count = sets.reference.classCount
    let data = [sets.generated, sets.reference, sets.floor]
    guard (1...ClassQuality.mostClasses).contains(count),
      data.allSatisfy({ $0.classCount == count })
    else { return [] }
    func images(_ data: ImageDataset, _ vectors: Tensor, _ predicted: [Int]) -> ClassQuality.Images
    {
      ClassQuality.Images(
        vectors: vectors, labels: data.labels ?? [], predicted: taken.isEmpty ? [] : predicted)
    }
    return ClassQuality.of(
      generated: images(sets.generated, generated, taken),
      reference: images(sets.reference, reference.features, predicted.reference),
      floor: images(sets.floor, floor, predicted.floor), classes: count, pool: pool)
  }
}
