import TensorCore

/// Fréchet distance of two normal distributions fitted to features (Heusel et al. 2017):
/// |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½).
public struct FrechetDistance: Equatable, Sendable {
  public let value: Double
  /// |μ₁ − μ₂|².
  public let meanTerm: Double
  /// tr Σ₁ and tr Σ₂.
  public let traces: (first: Double, second: Double)
  /// tr (Σ₁Σ₂)^½.
  public let rootTrace: Double

  /// - Throws: `UserError` for features that are not finite.
  /// - Precondition: as many dimensions, and two rows at least, in both.
  public init(_ first: FeatureMoments, _ second: FeatureMoments) throws {
    try self.init(
      ReferenceMoments(first, name: "first"), ReferenceMoments(second, name: "second"))
  }

  /// - Throws: `UserError` for features that are not finite.
  /// - Precondition: as many dimensions in both.
  public init(_ first: ReferenceMoments, _ second: ReferenceMoments) throws {
    let n = first.dimension
    precondition(n == second.dimension, "\(n) features against \(second.dimension)")
    let (firstCovariance, secondCovariance) = (first.covariance, second.covariance)
    // With Σ₁ = WᵀW, Σ₁Σ₂ and the symmetric WΣ₂Wᵀ have the same eigenvalues.
    let eigen = try SymmetricEigen(firstCovariance, order: n, wantsVectors: true)
    var factor = eigen.vectors
    for i in 0..<n {
      let scale = max(eigen.values[i], 0).squareRoot()
      for j in 0..<n { factor[i * n + j] *= scale }
    }
    var product = [Double](repeating: 0, count: n * n)
    var symmetric = product
    gemm(m: n, n: n, k: n, a: factor, b: secondCovariance, transposeB: false, c: &product)
    gemm(m: n, n: n, k: n, a: product, b: factor, transposeB: true, c: &symmetric)
    let roots = try SymmetricEigen(symmetric, order: n, wantsVectors: false)
    rootTrace = roots.values.reduce(0) { $0 + max($1, 0).squareRoot() }
    meanTerm = zip(first.mean, second.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let trace = { (matrix: [Double]) in
      stride(from: 0, to: n * n, by: n + 1).reduce(0.0) { $0 + matrix[$1] }
    }
    traces = (trace(firstCovariance), trace(secondCovariance))
    // Of equal distributions rounding leaves a little on either side of 0.
    value = max(meanTerm + traces.first + traces.second - 2 * rootTrace, 0)
  }

  public static func == (a: FrechetDistance, b: FrechetDistance) -> Bool {
    a.value == b.value && a.meanTerm == b.meanTerm && a.traces == b.traces
      && a.rootTrace == b.rootTrace
  }
}
