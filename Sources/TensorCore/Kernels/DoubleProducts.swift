import COpenBLAS

/// `c = a · b` or `a · bᵀ` for row-major matrices in double precision, on the calling thread.
///
/// - Parameters:
///   - m: rows of `c`; n: columns of `c`; k: the summed extent.
///   - transposeB: `b` is `[n, k]` instead of `[k, n]`.
public func gemm(
  m: Int, n: Int, k: Int,
  a: UnsafePointer<Double>, b: UnsafePointer<Double>, transposeB: Bool,
  c: UnsafeMutablePointer<Double>
) {
  cblas_dgemm(
    CblasRowMajor, CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
    blasint(m), blasint(n), blasint(k), 1, a, blasint(k), b, blasint(transposeB ? k : n), 0, c,
    blasint(n))
}

/// `c += aᵀ · a` in double precision, upper triangle only, on the calling thread.
///
/// - Parameters:
///   - a: `[k, n]`, row-major.
///   - c: `[n, n]`, row-major.
public func addGram(
  n: Int, k: Int, a: UnsafePointer<Double>, c: UnsafeMutablePointer<Double>
) {
  cblas_dsyrk(
    CblasRowMajor, CblasUpper, CblasTrans, blasint(n), blasint(k), 1, a, blasint(n), 1, c,
    blasint(n))
}
