import COpenBLAS
import TensorCore

/// The fastest that OpenBLAS multiplies on this machine at this moment, one product a thread, and what a
/// loop of fused multiplications and additions reaches beside it.
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
  private(set) var bestFused = 0.0

  init(threads: Int) {
    pool = ThreadPool(count: threads)
    buffers = (0..<3 * threads).map { _ in
      let buffer = FloatBuffer(count: 1280 * 1536)
      buffer.pointer.initialize(repeating: 0.5, count: buffer.count)
      return buffer
    }
  }

  /// Rates in GFLOP/s.
  struct Rates {
    /// The best of a few products, all threads together.
    var best: Double
    /// Median over the products of one second of processor time: a machine that others use too
    /// halves the other rate, and this one less.
    var ofProcessor: Double
    /// Fused multiplications and additions, all threads together.
    var fused: Double
  }

  func measure() -> Rates {
    var fastest = 0.0
    var ofProcessor: [Double] = []
    for shape in Self.shapes {
      for _ in 0..<4 {
        let before = processorSeconds()
        let seconds = time { multiply(shape) }
        let operations = Double(2 * shape.m * shape.n * shape.k * pool.count)
        fastest = max(fastest, operations / seconds / 1e9)
        ofProcessor.append(operations / (processorSeconds() - before) / 1e9)
      }
    }
    best = max(best, fastest)
    let fused = (0..<4).map { _ in fusedRate() }.max() ?? 0
    bestFused = max(bestFused, fused)
    return Rates(best: fastest, ofProcessor: median(ofProcessor), fused: fused)
  }

  private func fusedRate() -> Double {
    var operations = 0.0
    let seconds = time {
      operations = pool.map(pool.count) { _ in fusedLoop(iterations: 200_000) }.reduce(0, +)
    }
    return operations / seconds / 1e9
  }

  private func multiply(_ shape: Shape) {
    let buffers = buffers
    pool.forEach(pool.count) { thread in
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(shape.m), blasint(shape.n),
        blasint(shape.k), 1, buffers[3 * thread].pointer, blasint(shape.k),
        buffers[3 * thread + 1].pointer, blasint(shape.k), 0, buffers[3 * thread + 2].pointer,
        blasint(shape.n))
    }
  }
}
