import TensorCore

/// Precision and recall of generated images (Kynkäänniemi et al. 2019): the share of generated
/// features within the manifold of real ones, and the other way round. A manifold is the union of
/// the balls around its points that reach the k-th nearest other point.
public struct PrecisionRecall: Equatable, Sendable {
  public let precision: Double
  public let recall: Double
  /// Generated points within the real manifold, and real points within the generated one.
  public let counts: (precision: Int, recall: Int)

  /// Compares two sets of features in f32. Time grows with rows², memory with rows.
  ///
  /// - Parameters:
  ///   - real, generated: `[n, dimension]`, more rows than `neighbours` in each.
  ///   - neighbours: k.
  ///   - pool: threads; the result does not depend on their number.
  public init(real: Tensor, generated: Tensor, neighbours: Int = 3, pool: ThreadPool) {
    precondition(real.columns == generated.columns)
    precondition(min(real.rows, generated.rows) > neighbours && neighbours > 0)
    // About a common centre, squared norms are small and so is their rounding.
    let centre = FeatureMoments.mean(of: real)
    let realPoints = PointCloud(real, centre: centre)
    let generatedPoints = PointCloud(generated, centre: centre)
    let realRadii = realPoints.squaredRadii(neighbours: neighbours, pool: pool)
    let generatedRadii = generatedPoints.squaredRadii(neighbours: neighbours, pool: pool)
    counts = (
      generatedPoints.countWithin(realPoints, squaredRadii: realRadii, pool: pool),
      realPoints.countWithin(generatedPoints, squaredRadii: generatedRadii, pool: pool)
    )
    precision = Double(counts.precision) / Double(generated.rows)
    recall = Double(counts.recall) / Double(real.rows)
  }

  public static func == (a: PrecisionRecall, b: PrecisionRecall) -> Bool {
    a.counts == b.counts && a.precision == b.precision && a.recall == b.recall
  }
}
