import COpenBLAS

/// Where the values of a matrix lie: the distance between rows and the first value.
///
/// A view crosses threads by value; whoever makes it sees to it that the memory outlives its use and
/// that no two threads write the same part.
public struct MatrixView: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Float>
  public let stride: Int

  public init(_ pointer: UnsafeMutablePointer<Float>, stride: Int) {
    self.pointer = pointer
    self.stride = stride
  }

  @inlinable
  public func row(_ index: Int) -> UnsafeMutablePointer<Float> { pointer + index * stride }
}

/// `c = α · a · b (+ c)` for row-major matrices, on the calling thread.
///
/// - Parameters:
///   - m: rows of `c`; n: columns of `c`; k: the summed extent.
///   - transposeA: `a` is `[k, m]` instead of `[m, k]`.
///   - transposeB: `b` is `[n, k]` instead of `[k, n]`.
///   - accumulate: adds to `c` instead of replacing it.
public func gemm(
  m: Int, n: Int, k: Int, alpha: Float = 1,
  a: UnsafePointer<Float>, strideA: Int, transposeA: Bool = false,
  b: UnsafePointer<Float>, strideB: Int, transposeB: Bool,
  c: UnsafeMutablePointer<Float>, strideC: Int, accumulate: Bool = false
) {
  cblas_sgemm(
    CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
    blasint(m), blasint(n), blasint(k), alpha, a, blasint(strideA), b, blasint(strideB),
    accumulate ? 1 : 0, c, blasint(strideC))
}
