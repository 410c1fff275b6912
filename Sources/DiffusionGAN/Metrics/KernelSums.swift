import TensorCore

/// Row sums of the matrix of cubic kernels, tile by tile: the whole matrix is never in memory.
enum KernelSums {
  /// Rows and columns of a tile.
  private static let tile = 512

  /// Σⱼ k(xᵢ, xⱼ) over j ≠ i, for every row of `features`.
  static func within(_ features: Tensor, pool: ThreadPool) -> [Double] {
    let blocks = (features.rows + tile - 1) / tile
    let pairs = (0..<blocks).flatMap { a in (a..<blocks).map { (a, $0) } }
    let sums = pool.map(pairs.count) { task in
      tileSums(features, pairs[task].0, features, pairs[task].1, isSame: true)
    }
    var total = [Double](repeating: 0, count: features.rows)
    for (pair, sum) in zip(pairs, sums) {
      add(sum.rows, to: &total, block: pair.0)
      if pair.0 != pair.1 { add(sum.columns, to: &total, block: pair.1) }
    }
    return total
  }

  /// Σⱼ k(xᵢ, yⱼ) for every row of `first`, and Σᵢ k(xᵢ, yⱼ) for every row of `second`.
  static func between(
    _ first: Tensor, _ second: Tensor, pool: ThreadPool
  ) -> (rows: [Double], columns: [Double]) {
    let across = (second.rows + tile - 1) / tile
    let count = (first.rows + tile - 1) / tile * across
    let sums = pool.map(count) { task in
      tileSums(first, task / across, second, task % across, isSame: false)
    }
    var rows = [Double](repeating: 0, count: first.rows)
    var columns = [Double](repeating: 0, count: second.rows)
    for (task, sum) in sums.enumerated() {
      add(sum.rows, to: &rows, block: task / across)
      add(sum.columns, to: &columns, block: task % across)
    }
    return (rows, columns)
  }

  private static func tileSums(
    _ first: Tensor, _ a: Int, _ second: Tensor, _ b: Int, isSame: Bool
  ) -> (rows: [Double], columns: [Double]) {
    let dimension = first.columns
    let x = doubles(first, a)
    let y = doubles(second, b)
    let (m, n) = (x.count / dimension, y.count / dimension)
    var products = [Double](repeating: 0, count: m * n)
    gemm(m: m, n: n, k: dimension, a: x, b: y, transposeB: true, c: &products)
    var rows = [Double](repeating: 0, count: m)
    var columns = [Double](repeating: 0, count: n)
    let scale = 1 / Double(dimension)
    for i in 0..<m {
      for j in 0..<n {
        // A vector with itself.
        if isSame && a == b && i == j { continue }
        let base = products[i * n + j] * scale + 1
        let kernel = base * base * base
        rows[i] += kernel
        columns[j] += kernel
      }
    }
    return (rows, columns)
  }

  private static func doubles(_ features: Tensor, _ block: Int) -> [Double] {
    let first = block * tile * features.columns
    let count = min(tile * features.columns, features.count - first)
    return features.withPointer { source in
      [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
        for i in 0..<count { buffer[i] = Double(source[first + i]) }
        initialized = count
      }
    }
  }

  private static func add(_ sums: [Double], to total: inout [Double], block: Int) {
    for (i, sum) in sums.enumerated() { total[block * tile + i] += sum }
  }
}
