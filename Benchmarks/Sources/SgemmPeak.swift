import TensorCore

/// The fastest that OpenBLAS multiplies on this machine at this moment, one product a thread.
final class SgemmPeak {
  private struct Shape {
    let m: Int
    let n: Int
    let k: Int
  }

  /// One square, and one like the model's.
  private static let shapes = [Shape(m: 1024, n: 1024, k: 1024), Shape(m: 1280, n: 1536, k: 576)]

  private let pool: ThreadPool
  private let buffers: [FloatBuffer]
  /// Largest seen so far, in GFLOP/s.
  private(set) var best = 0.0

  init(threads: Int) {
    pool = ThreadPool(count: threads)
    buffers = (0..<3 * threads).map { _ in
      let buffer = FloatBuffer(count: 1280 * 1536)
      buffer.pointer.initialize(repeating: 0.5, count: buffer.count)
      return buffer
    }
  }

  /// The best of a few products now, in GFLOP/s of all threads together.
  func measure() -> Double {
    var fastest = 0.0
    for shape in Self.shapes {
      for _ in 0..<4 {
        let seconds = time { multiply(shape) }
        let operations = Double(2 * shape.m * shape.n * shape.k * pool.count)
        fastest = max(fastest, operations / seconds / 1e9)
      }
    }
    best = max(best, fastest)
    return fastest
  }

  private func multiply(_ shape: Shape) {
    let buffers = buffers
    pool.forEach(pool.count) { thread in
      gemm(
        m: shape.m, n: shape.n, k: shape.k, a: buffers[3 * thread].pointer, strideA: shape.k,
        b: buffers[3 * thread + 1].pointer, strideB: shape.k, transposeB: true,
        c: buffers[3 * thread + 2].pointer, strideC: shape.n)
    }
  }
}
