import COpenBLAS

/// Solutions of symmetric positive definite systems in double precision, by LAPACK's Cholesky
/// factorisation (`dposv`).
public enum PositiveDefiniteSolve {
  /// The rows x of `matrix` · x = b.
  ///
  /// - Parameters:
  ///   - matrix: `[n, n]`; only the upper triangle (row-major) is read.
  ///   - right: `[count, n]`: a right-hand side b a row.
  /// - Returns: `[count, n]`.
  /// - Throws: `UserError` where the matrix is not positive definite, as far as rounding can tell.
  /// - Precondition: `matrix` is square and `right` has whole rows.
  public static func solutions(_ matrix: [Double], order n: Int, right: [Double]) throws
    -> [Double]
  {
    precondition(matrix.count == n * n, "\(matrix.count) values in a matrix of order \(n)")
    guard n > 0, !right.isEmpty else { return [] }
    precondition(right.count % n == 0, "\(right.count) values in rows of \(n)")
    var a = matrix
    var b = right
    var order = blasint(n)
    var count = blasint(right.count / n)
    // The upper triangle by rows is the lower one by columns.
    var triangle = CChar(UInt8(ascii: "L"))
    var status = blasint(0)
    dposv_(&triangle, &order, &count, &a, &order, &b, &order, &status)
    guard status == 0, b.allSatisfy(\.isFinite) else {
      throw UserError(
        "a system of \(n) equations has no unique solution (dposv: \(status))",
        remedy: "check the data for values that are not finite")
    }
    return b
  }
}
