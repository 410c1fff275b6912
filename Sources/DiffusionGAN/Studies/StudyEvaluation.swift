import TensorCore

/// Measures images of snapshots against the data and the teachers' images, in raw pixels and in the
/// vectors of metric networks.
public struct StudyEvaluation: Sendable {
  /// Real images that others are measured against.
  private struct Space: Sendable {
    let network: any FeatureNetwork
    let reference: RealManifold
    /// What a classifier takes the real images for; nil for other networks.
    let labels: [Int]?
    /// Features of each teacher's images.
    let teachers: [Tensor]
  }

  private let spaces: [Space]
  private let pool: ThreadPool

  /// Name of the space of raw pixels.
  public static let pixels = PixelFeatures.name

  /// - Parameters:
  ///   - reference: real images; their labels are counted where a metric network tells labels.
  ///   - teachers: images of each teacher, in the study's order.
  ///   - metrics: networks, each another than any discriminator's.
  public init(
    reference: ImageDataset, teachers: [ImageDataset], metrics: [any FeatureNetwork],
    pool: ThreadPool
  ) throws {
    self.pool = pool
    spaces = try (metrics + [PixelFeatures()]).map { network in
      let real = try ImageFeatures(of: reference, by: network, pool: pool)
      return Space(
        network: network, reference: RealManifold(real.vectors, pool: pool), labels: real.labels,
        teachers: try teachers.map {
          try ImageFeatures(of: $0, by: network, pool: pool).vectors
        })
    }
  }

  /// Everything about `images` that a row holds.
  ///
  /// - Throws: `UserError` for features that are not finite and for too few images.
  public func metrics(
    of images: ImageDataset
  ) throws -> (metrics: [StudyRow.Metric], labelDistance: Double?) {
    let labeller = spaces.firstIndex { $0.labels != nil }
    var metrics: [StudyRow.Metric] = []
    var distance: Double?
    for (place, space) in spaces.enumerated() {
      let found = try ImageFeatures(of: images, by: space.network, pool: pool)
      metrics.append(try metric(found.vectors, in: space))
      if place == labeller {
        let counts = [space.labels, found.labels].map {
          LabelHistogram.counts($0 ?? [], classes: space.network.classCount)
        }
        distance = LabelHistogram.totalVariation(counts[0], counts[1])
      }
    }
    return (metrics, distance)
  }

  /// - Parameter features: of generated images, `[images, dimension]`.
  private func metric(_ features: Tensor, in space: Space) throws -> StudyRow.Metric {
    let frechet = try FrechetInterval(space.reference.features, features, pool: pool)
    let kernel = KernelDistance(space.reference.features, features, pool: pool)
    let manifolds = PrecisionRecall(real: space.reference, generated: features, pool: pool)
    let balls = DensityCoverage(real: space.reference, generated: features, pool: pool)
    return StudyRow.Metric(
      name: space.network.name, frechet: MeasuredDistance(frechet),
      kernel: MeasuredDistance(kernel.value, standardError: kernel.standardError),
      precision: manifolds.precision, recall: manifolds.recall, density: balls.density,
      coverage: balls.coverage,
      toTeachers: try space.teachers.map {
        MeasuredDistance(try FrechetInterval($0, features, pool: pool))
      })
  }
}
