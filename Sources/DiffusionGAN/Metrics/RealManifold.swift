import TensorCore

/// The balls around real images, in one space of features, that reach their nearest other ones. Found once for
/// everything that is measured against these images; time grows with rows².
public struct RealManifold: Sendable {
  /// `[n, dimension]`.
  public let features: Tensor
  let points: PointCloud
  private let centre: [Double]
  /// Squared distances of each point to its nearest others, the nearest first.
  private let nearest: [Float]

  private static let neighbours = max(PrecisionRecall.neighbours, DensityCoverage.neighbours)

  /// - Parameters:
  ///   - features: `[n, dimension]`.
  ///   - pool: threads; the result does not depend on their number.
  public init(_ features: Tensor, pool: ThreadPool) {
    self.features = features
    // About a common centre, squared norms are small and so is their rounding.
    centre = FeatureMoments.mean(of: features)
    points = PointCloud(features, centre: centre)
    nearest = points.nearest(Self.neighbours, pool: pool)
  }

  /// Other features, about the same centre.
  func cloud(_ features: Tensor) -> PointCloud {
    precondition(features.columns == self.features.columns)
    return PointCloud(features, centre: centre)
  }

  /// Squared distance of every point to its k-th nearest other one; infinite where there are fewer.
  func squaredRadii(neighbour: Int) -> [Float] {
    PointCloud.radii(nearest, of: Self.neighbours, neighbour: neighbour)
  }
}
