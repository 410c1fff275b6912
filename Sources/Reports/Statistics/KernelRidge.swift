import TensorCore

/// Ridge regression in its dual form: cheap where there are fewer samples than dimensions, and for
/// every penalty at once (Saunders et al. 1998).
///
/// The weights that minimise ‖y − X w‖² + λ ‖w‖² are w = Xᵀ α with α = (K + λ)⁻¹ y and K = X Xᵀ; a
/// new sample x is predicted as Σ αᵢ ⟨xᵢ, x⟩. There is no intercept: centre what has a mean.
public struct KernelRidge: Sendable {
  public let count: Int
  /// Ascending; rounding may leave some a little below zero.
  private let values: [Double]
  /// `[count, count]`: an eigenvector a row, and the transpose.
  private let vectors: [Double]
  private let transposed: [Double]

  /// - Parameter kernel: ⟨xᵢ, xⱼ⟩, `[count, count]`.
  /// - Throws: `UserError` for values that are not finite.
  public init(kernel: [Double], count: Int) throws {
    let eigen = try SymmetricEigen(kernel, order: count, wantsVectors: true)
    self.count = count
    values = eigen.values.map { max($0, 0) }
    vectors = eigen.vectors
    var transposed = [Double](repeating: 0, count: count * count)
    for i in 0..<count {
      for j in 0..<count { transposed[j * count + i] = eigen.vectors[i * count + j] }
    }
    self.transposed = transposed
  }

  /// Targets in the eigenvectors' frame, for `duals(of:)` at several penalties.
  public struct Turned: Sendable {
    fileprivate let values: [Double]
    fileprivate let columns: Int
  }

  /// - Parameter targets: `[count, columns]`.
  public func turned(_ targets: [Double], columns: Int) -> Turned {
    precondition(targets.count == count * columns)
    return Turned(values: product(vectors, targets, columns: columns), columns: columns)
  }

  /// α = (K + `penalty`)⁻¹ y, `[count, columns]`.
  public func duals(of turned: Turned, penalty: Double) -> [Double] {
    var scaled = turned.values
    for i in 0..<count {
      let factor = 1 / (values[i] + penalty)
      for column in 0..<turned.columns { scaled[i * turned.columns + column] *= factor }
    }
    return product(transposed, scaled, columns: turned.columns)
  }

  public func duals(_ targets: [Double], penalty: Double) -> [Double] {
    duals(of: turned(targets, columns: 1), penalty: penalty)
  }

  /// Residuals of `targets` where each block of samples is predicted from the others, without a
  /// further fit: (Q_BB)⁻¹ (Q y)_B with Q = (K + λ)⁻¹, which is exact (compare Hastie et al. 2009,
  /// 7.64, for blocks of one).
  ///
  /// - Parameter blocks: disjoint lists of samples.
  /// - Returns: `[count, columns]`; zero for samples in no block.
  public func heldOutResiduals(of turned: Turned, blocks: [[Int]], penalty: Double) throws
    -> [Double]
  {
    let duals = duals(of: turned, penalty: penalty)
    let columns = turned.columns
    var residuals = [Double](repeating: 0, count: count * columns)
    for block in blocks where !block.isEmpty {
      let right = (0..<columns).flatMap { column in block.map { duals[$0 * columns + column] } }
      let solved = try PositiveDefiniteSolve.solutions(
        inverse(block, penalty: penalty), order: block.count, right: right)
      for column in 0..<columns {
        for (place, sample) in block.enumerated() {
          residuals[sample * columns + column] = solved[column * block.count + place]
        }
      }
    }
    return residuals
  }

  /// The part of (K + λ)⁻¹ between samples of `block`.
  private func inverse(_ block: [Int], penalty: Double) -> [Double] {
    let rows = block.flatMap { sample in
      (0..<count).map { transposed[sample * count + $0] / (values[$0] + penalty).squareRoot() }
    }
    var product = [Double](repeating: 0, count: block.count * block.count)
    gemm(
      m: block.count, n: block.count, k: count, a: rows, b: rows, transposeB: true, c: &product)
    return product
  }

  private func product(_ a: [Double], _ b: [Double], columns: Int) -> [Double] {
    var c = [Double](repeating: 0, count: count * columns)
    guard count > 0, columns > 0 else { return c }
    gemm(m: count, n: columns, k: count, a: a, b: b, transposeB: false, c: &c)
    return c
  }
}
