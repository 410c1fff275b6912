import TensorCore

/// Generated images of one class against real ones of the same class: a conditional generator may cover the data and
/// yet lose part of a class, or draw another.
public struct ClassQuality: Sendable {
  public let label: Int
  /// Images of this class.
  public let counts: (generated: Int, reference: Int, floor: Int)
  /// Nil where the generated or the reference images are too few.
  public let coverage: PrecisionRecall?
  /// Other real images, measured alike.
  public let floor: PrecisionRecall?
  /// Images that the classifier takes for this class, among those of it; nil where the features are no classifier's
  /// of as many classes.
  public let recognised: (generated: Int, reference: Int)?

  /// Most classes: each has its own manifolds.
  static let mostClasses = 100

  /// A set of images as features have it.
  struct Images {
    /// `[images, dimension]`.
    let vectors: Tensor
    /// The class that each was drawn for, or has.
    let labels: [Int]
    /// What a classifier takes each for; empty where there is none.
    let predicted: [Int]
  }

  /// The quality of every class that generated or reference images have.
  static func of(
    generated: Images, reference: Images, floor: Images, classes: Int, pool: ThreadPool
  ) -> [ClassQuality] {
    (0..<classes).compactMap { label in
      let rows = [generated, reference, floor].map { images in
        images.labels.indices.filter { images.labels[$0] == label }
      }
      guard !rows[0].isEmpty || !rows[1].isEmpty else { return nil }
      let vectors = zip([generated, reference, floor], rows).map {
        $1.isEmpty ? nil : $0.vectors.rows($1)
      }
      let real = vectors[1].map { RealManifold($0, pool: pool) }
      func coverage(_ set: Int) -> PrecisionRecall? {
        guard min(rows[1].count, rows[set].count) > PrecisionRecall.neighbours, let real,
          let other = vectors[set]
        else { return nil }
        return PrecisionRecall(real: real, generated: other, pool: pool)
      }
      func recognised(_ images: Images, _ set: Int) -> Int {
        rows[set].count { images.predicted[$0] == label }
      }
      return ClassQuality(
        label: label, counts: (rows[0].count, rows[1].count, rows[2].count), coverage: coverage(0),
        floor: coverage(2),
        recognised: generated.predicted.isEmpty
          ? nil : (recognised(generated, 0), recognised(reference, 1)))
    }
  }
}
