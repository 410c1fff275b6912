import TensorCore

/// Points and their squared norms, for squared distances |x|² + |y|² − 2 x·y by matrix products.
struct PointCloud: Sendable {
  private let points: Tensor
  private let squaredNorms: [Float]

  /// Points of a task, and points that they are compared with at a time.
  private static let rows = 256
  private static let columns = 1024

  /// - Parameters:
  ///   - features: `[n, dimension]`.
  ///   - centre: point that becomes the origin.
  init(_ features: Tensor, centre: [Double]) {
    let columns = features.columns
    let points = Tensor(shape: features.shape) { output in
      features.withPointer { source in
        for i in 0..<features.count {
          output[i] = Float(Double(source[i]) - centre[i % columns])
        }
      }
    }
    squaredNorms = points.withPointer { values in
      (0..<points.rows).map { row in
        var sum = 0.0
        for j in 0..<columns {
          let value = Double(values[row * columns + j])
          sum += value * value
        }
        return Float(sum)
      }
    }
    self.points = points
  }

  /// Squared distance of every point to its k-th nearest other point.
  func squaredRadii(neighbours: Int, pool: ThreadPool) -> [Float] {
    let blocks = (points.rows + Self.rows - 1) / Self.rows
    return pool.map(blocks) { block -> [Float] in
      let range = self.range(block)
      var nearest = [[Float]](
        repeating: [Float](repeating: .infinity, count: neighbours), count: range.count)
      forEachDistance(of: range, to: self) { row, column, distance in
        guard row != column, distance < nearest[row - range.lowerBound][neighbours - 1] else {
          return
        }
        // Insertion into the few nearest so far, in ascending order.
        var place = neighbours - 1
        while place > 0, nearest[row - range.lowerBound][place - 1] > distance {
          nearest[row - range.lowerBound][place] = nearest[row - range.lowerBound][place - 1]
          place -= 1
        }
        nearest[row - range.lowerBound][place] = distance
      }
      return nearest.map { $0[neighbours - 1] }
    }.flatMap(\.self)
  }

  /// How many of these points lie within the radius of any of `others`.
  func countWithin(_ others: PointCloud, squaredRadii: [Float], pool: ThreadPool) -> Int {
    let blocks = (points.rows + Self.rows - 1) / Self.rows
    return pool.map(blocks) { block -> Int in
      let range = self.range(block)
      var isWithin = [Bool](repeating: false, count: range.count)
      forEachDistance(of: range, to: others) { row, column, distance in
        if distance <= squaredRadii[column] { isWithin[row - range.lowerBound] = true }
      }
      return isWithin.count { $0 }
    }.reduce(0, +)
  }

  private func range(_ block: Int) -> Range<Int> {
    block * Self.rows..<min((block + 1) * Self.rows, points.rows)
  }

  /// Calls `body` with the squared distance of each pair, for the points `range`.
  @inline(__always)
  private func forEachDistance(
    of range: Range<Int>, to others: PointCloud, _ body: (Int, Int, Float) -> Void
  ) {
    let dimension = points.columns
    var products = [Float](repeating: 0, count: range.count * Self.columns)
    points.withPointer { x in
      others.points.withPointer { y in
        for start in stride(from: 0, to: others.points.rows, by: Self.columns) {
          let count = min(Self.columns, others.points.rows - start)
          products.withUnsafeMutableBufferPointer { buffer in
            guard let products = buffer.baseAddress else { return }
            gemm(
              m: range.count, n: count, k: dimension, alpha: -2,
              a: x + range.lowerBound * dimension, strideA: dimension,
              b: y + start * dimension, strideB: dimension, transposeB: true,
              c: products, strideC: count)
            for row in range {
              let line = products + (row - range.lowerBound) * count
              for column in 0..<count {
                let norms = squaredNorms[row] + others.squaredNorms[start + column]
                body(row, start + column, max(norms + line[column], 0))
              }
            }
          }
        }
      }
    }
  }
}
