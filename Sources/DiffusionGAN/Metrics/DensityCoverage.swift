import TensorCore

/// Density and coverage of generated images (Naeem et al. 2020): with a ball around each real point that reaches
/// its k-th nearest other one, the number of balls that a generated point lies in, over k, and the share of balls
/// that hold a generated point.
///
/// Recall has its balls around generated points, which grow where these lie far from one another: images with noise
/// of their own hold more real ones. Coverage's balls are of real points, and the same for all generators. Of as many
/// images of the data it is near `1 − 2⁻ᵏ` (equation 9 there), 0.97 for k = 5, and density near 1.
public struct DensityCoverage: Equatable, Sendable {
  public let density: Double
  public let coverage: Double

  /// k, as published.
  static let neighbours = 5

  /// Compares a set of features with real ones in f32. Time grows with rows².
  ///
  /// - Parameters:
  ///   - real: more rows than `neighbours`.
  ///   - generated: `[n, dimension]`.
  ///   - pool: threads; the result does not depend on their number.
  public init(real: RealManifold, generated: Tensor, pool: ThreadPool) {
    precondition(real.features.rows > Self.neighbours && generated.rows > 0)
    let held = real.points.counts(
      of: real.cloud(generated),
      withinSquaredRadii: real.squaredRadii(neighbour: Self.neighbours), pool: pool)
    density = Double(held.reduce(0, +)) / Double(Self.neighbours * generated.rows)
    coverage = Double(held.count { $0 > 0 }) / Double(held.count)
  }
}
