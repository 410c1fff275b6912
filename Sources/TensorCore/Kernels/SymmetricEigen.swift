import COpenBLAS

/// Eigenvalues and eigenvectors of symmetric matrices in double precision, by LAPACK's
/// divide-and-conquer (`dsyevd`).
public struct SymmetricEigen: Sendable {
  /// In ascending order.
  public let values: [Double]
  /// `[n, n]`: row *i* is the unit eigenvector of `values[i]`; empty where none were wanted.
  public let vectors: [Double]

  /// - Parameters:
  ///   - matrix: `[n, n]`; only the upper triangle (row-major) is read.
  ///   - wantsVectors: whether eigenvectors are computed too, at about four times the cost.
  /// - Throws: `UserError` for values that are not finite, or if the iteration does not converge.
  /// - Precondition: `matrix` is square.
  public init(_ matrix: [Double], order n: Int, wantsVectors: Bool) throws {
    precondition(matrix.count == n * n, "\(matrix.count) values in a matrix of order \(n)")
    guard matrix.allSatisfy(\.isFinite) else {
      throw UserError(
        "eigenvalues of a matrix with values that are not finite", remedy: "check the data")
    }
    guard n > 0 else {
      (values, vectors) = ([], [])
      return
    }
    var a = matrix
    var eigenvalues = [Double](repeating: 0, count: n)
    var order = blasint(n)
    // LAPACK's job letters; the upper triangle by rows is the lower one by columns.
    var job = CChar(UInt8(ascii: wantsVectors ? "V" : "N"))
    var triangle = CChar(UInt8(ascii: "L"))
    var status = blasint(0)
    var work = [0.0]
    var wholeWork = [blasint(0)]
    for isQuery in [true, false] {
      var workSize = blasint(isQuery ? -1 : Int32(work.count))
      var wholeSize = blasint(isQuery ? -1 : Int32(wholeWork.count))
      dsyevd_(
        &job, &triangle, &order, &a, &order, &eigenvalues, &work, &workSize, &wholeWork,
        &wholeSize, &status)
      guard status == 0 else {
        throw UserError(
          "eigenvalues of a matrix of order \(n) were not found (dsyevd: \(status))",
          remedy: "check the data")
      }
      if isQuery {
        work = [Double](repeating: 0, count: Int(work[0]))
        wholeWork = [blasint](repeating: 0, count: Int(wholeWork[0]))
      }
    }
    values = eigenvalues
    // Column-major columns are row-major rows.
    vectors = wantsVectors ? a : []
  }
}
