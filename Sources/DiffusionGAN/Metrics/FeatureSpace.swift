import TensorCore

/// One space of features, and the real images there that generated ones are compared with. Looked at once, however many
/// sets are compared.
public struct FeatureSpace: Sendable {
  public let network: any FeatureNetwork
  let reference: RealManifold
  let floor: Tensor
  /// What a classifier takes the images for; empty for other networks.
  let predicted: (reference: [Int], floor: [Int])
  let floorQuality: SampleQuality
  private let seed: UInt64
  let pool: ThreadPool

  /// - Parameters:
  ///   - reference, floor: real images, and others.
  ///   - network: where the features come from.
  ///   - seed: which subsets the kernel distance is averaged over.
  ///   - pool: threads; the result does not depend on their number.
  ///   - watch: told the number of images looked at, of both sets; may throw to stop.
  /// - Throws: `UserError` for images that the network cannot look at and for features that are not finite.
  public init(
    reference: ImageDataset, floor: ImageDataset, by network: any FeatureNetwork, seed: UInt64,
    pool: ThreadPool, watch: (Int) throws -> Void = { _ in }
  ) throws {
    (self.network, self.seed, self.pool) = (network, seed, pool)
    let real = try ImageFeatures(of: reference, by: network, pool: pool, watch: watch)
    let other = try ImageFeatures(of: floor, by: network, pool: pool) {
      try watch(reference.count + $0)
    }
    self.reference = RealManifold(real.vectors, pool: pool)
    self.floor = other.vectors
    predicted = (real.labels ?? [], other.labels ?? [])
    floorQuality = try SampleQuality(
      generated: other.vectors, reference: self.reference, seed: seed, pool: pool)
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
