import TensorCore

/// How far images are from reference images, in one space of features.
public struct SampleQuality: Sendable {
  /// Number of images that were measured.
  public let count: Int
  public let frechet: FrechetInterval
  public let kernel: KernelDistance
  public let subsetKernel: SubsetKernelDistance
  public let manifolds: PrecisionRecall
  public let balls: DensityCoverage

  /// Images that a set has at least: one and the neighbours that its ball reaches.
  static let fewest = 6

  /// - Parameters:
  ///   - generated: features `[n, dimension]` of the images.
  ///   - seed: which subsets the kernel distance is averaged over.
  ///   - pool: threads; the result does not depend on their number.
  /// - Throws: `UserError` for fewer images than the neighbours of precision, recall and coverage need, and for
  ///   features that are not finite.
  public init(generated: Tensor, reference: RealManifold, seed: UInt64, pool: ThreadPool) throws {
    let real = reference.features
    let rows = min(generated.rows, real.rows)
    guard rows >= Self.fewest else {
      throw UserError(
        "\(rows) images cannot be measured", remedy: "give \(Self.fewest) at least")
    }
    count = generated.rows
    frechet = try FrechetInterval(real, generated, pool: pool)
    kernel = KernelDistance(real, generated, pool: pool)
    subsetKernel = SubsetKernelDistance(
      real, generated, subsets: 50, size: 1000, seed: seed, pool: pool)
    manifolds = PrecisionRecall(real: reference, generated: generated, pool: pool)
    balls = DensityCoverage(real: reference, generated: generated, pool: pool)
  }
}
