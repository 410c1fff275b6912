import TensorCore

/// Measures images of snapshots against the data and the teachers' images, in raw pixels and in the
/// vectors of metric networks.
public struct StudyEvaluation: Sendable {
  /// Real images that others are measured against.
  private struct Space: Sendable {
    let name: String
    let network: (any FeatureNetwork)?
    let reference: RealManifold
    /// Features of each teacher's images.
    let teachers: [Tensor]
  }

  private let spaces: [Space]
  private let labelReference: [Int]?
  private let labeller: (any LabellingNetwork)?
  private let pool: ThreadPool

  /// Name of the space of raw pixels.
  public static let pixels = "pixels"
  private static let batch = 256

  /// - Parameters:
  ///   - reference: real images; their labels are counted where a metric network tells labels.
  ///   - teachers: images of each teacher, in the study's order.
  ///   - metrics: networks, each another than any discriminator's.
  public init(
    reference: ImageDataset, teachers: [ImageDataset], metrics: [any FeatureNetwork],
    pool: ThreadPool
  ) {
    self.pool = pool
    let networks = metrics.map(Optional.some) + [nil]
    spaces = networks.map { network in
      Space(
        name: network?.name ?? Self.pixels, network: network,
        reference: RealManifold(Self.features(reference, network, pool), pool: pool),
        teachers: teachers.map { Self.features($0, network, pool) })
    }
    labeller = metrics.lazy.compactMap { $0 as? any LabellingNetwork }.first
    labelReference = labeller.map { Self.histogram(reference, $0, pool) }
  }

  /// Everything about `images` that a row holds.
  ///
  /// - Parameter role: rows that choose a learning rate are of the first space, which chooses, and of pixels, which
  ///   cost nothing.
  /// - Throws: `UserError` for features that are not finite and for too few images.
  public func metrics(
    of images: ImageDataset, role: StudyTask.Role
  ) throws -> (metrics: [StudyRow.Metric], labelDistance: Double?) {
    let measured =
      role == .development
      ? spaces.indices.filter { $0 == 0 || spaces[$0].network == nil } : Array(spaces.indices)
    let metrics = try measured.map { place in
      let space = spaces[place]
      let features = Self.features(images, space.network, pool)
      let frechet = try FrechetInterval(space.reference.features, features, pool: pool)
      let kernel = KernelDistance(space.reference.features, features, pool: pool)
      let manifolds = PrecisionRecall(real: space.reference, generated: features, pool: pool)
      let balls = DensityCoverage(real: space.reference, generated: features, pool: pool)
      return StudyRow.Metric(
        name: space.name, frechet: MeasuredDistance(frechet),
        kernel: MeasuredDistance(kernel.value, standardError: kernel.standardError),
        precision: manifolds.precision, recall: manifolds.recall, density: balls.density,
        coverage: balls.coverage,
        toTeachers: try space.teachers.map {
          MeasuredDistance(try FrechetInterval($0, features, pool: pool))
        })
    }
    let distance = labeller.flatMap { labeller in
      labelReference.map {
        LabelHistogram.totalVariation($0, Self.histogram(images, labeller, pool))
      }
    }
    return (metrics, distance)
  }

  private static func features(
    _ images: ImageDataset, _ network: (any FeatureNetwork)?, _ pool: ThreadPool
  ) -> Tensor {
    guard let network else { return images.pixelFeatures }
    return Compute.$pool.withValue(pool) {
      Tensor.concatenated(
        batches(images).map { network.vectors(images.tensor(at: $0)) }, 0)
    }
  }

  private static func histogram(
    _ images: ImageDataset, _ labeller: any LabellingNetwork, _ pool: ThreadPool
  ) -> [Int] {
    var counts = [Int](repeating: 0, count: labeller.classCount)
    Compute.$pool.withValue(pool) {
      for batch in batches(images) {
        for label in labeller.labels(images.tensor(at: batch)) { counts[label] += 1 }
      }
    }
    return counts
  }

  private static func batches(_ images: ImageDataset) -> [Range<Int>] {
    stride(from: 0, to: images.count, by: batch).map { $0..<min($0 + batch, images.count) }
  }
}
