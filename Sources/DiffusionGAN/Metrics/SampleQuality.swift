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
  /// - Throws: `UserError` for features that are not finite.
  /// - Precondition: as many images in both as the neighbours of precision, recall and coverage need.
  public init(generated: Tensor, reference: RealManifold, seed: UInt64, pool: ThreadPool) throws {
    let real = reference.features
    precondition(min(generated.rows, real.rows) >= Self.fewest)
    count = generated.rows
    frechet = try FrechetInterval(real, generated, pool: pool)
    kernel = KernelDistance(real, generated, pool: pool)
    subsetKernel = SubsetKernelDistance(
      real, generated, subsets: 50, size: 1000, seed: seed, pool: pool)
    manifolds = PrecisionRecall(real: reference, generated: generated, pool: pool)
    balls = DensityCoverage(real: reference, generated: generated, pool: pool)
  }
}
