import TensorCore

/// Precision and recall of generated images (Kynkäänniemi et al. 2019): the share of generated
/// features within the manifold of real ones, and the other way round. A manifold is the union of
/// the balls around its points that reach the k-th nearest other point.
public struct PrecisionRecall: Equatable, Sendable {
  public let precision: Double
  public let recall: Double

  /// k, as published.
  static let neighbours = 3

  /// Compares a set of features with real ones in f32. Time grows with rows².
  ///
  /// - Parameters:
  ///   - generated: `[n, dimension]`, more rows than `neighbours`, as the real ones have.
  ///   - pool: threads; the result does not depend on their number.
  public init(real: RealManifold, generated: Tensor, pool: ThreadPool) {
    precondition(min(real.features.rows, generated.rows) > Self.neighbours)
    let points = real.cloud(generated)
    let radii = PointCloud.radii(
      points.nearest(Self.neighbours, pool: pool), of: Self.neighbours, neighbour: Self.neighbours)
    let within = points.countWithin(
      real.points, squaredRadii: real.squaredRadii(neighbour: Self.neighbours), pool: pool)
    precision = Double(within) / Double(generated.rows)
    recall =
      Double(real.points.countWithin(points, squaredRadii: radii, pool: pool))
      / Double(real.features.rows)
  }
}
