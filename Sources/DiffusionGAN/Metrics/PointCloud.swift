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

  /// Squared distances of every point to its nearest other points, ascending, `[points × neighbours]`; infinite where
  /// there are fewer.
  func nearest(_ neighbours: Int, pool: ThreadPool) -> [Float] {
    let blocks = (points.rows + Self.rows - 1) / Self.rows
    return pool.map(blocks) { block -> [Float] in
      let range = self.range(block)
      // The smallest of each row so far.
      var nearest = [Float](repeating: .infinity, count: range.count * neighbours)
      forEachRow(of: range, to: self) { row, start, count, distances in
        let own = row - start
        if own >= 0 && own < count { distances[own] = .infinity }
        let first = (row - range.lowerBound) * neighbours
        for lanes in stride(from: 0, to: count, by: 8) {
          let found = Self.lanes(distances, lanes)
          guard any(found .< nearest[first + neighbours - 1]) else { continue }
          for lane in 0..<8 { Self.insert(found[lane], into: &nearest, first, neighbours) }
        }
      }
      return nearest
    }.flatMap(\.self)
  }

  /// The k-th nearest of each point, out of `nearest(neighbours)`.
  static func radii(_ nearest: [Float], of neighbours: Int, neighbour: Int) -> [Float] {
    stride(from: neighbour - 1, to: nearest.count, by: neighbours).map { nearest[$0] }
  }

  /// How many of these points lie within the radius of any of `others`.
  func countWithin(_ others: PointCloud, squaredRadii: [Float], pool: ThreadPool) -> Int {
    let blocks = (points.rows + Self.rows - 1) / Self.rows
    // Lanes beyond the last point are never within anything.
    let radii = squaredRadii + [Float](repeating: -1, count: 8)
    return pool.map(blocks) { block -> Int in
      let range = self.range(block)
      var isWithin = [Bool](repeating: false, count: range.count)
      forEachRow(of: range, to: others) { row, start, count, distances in
        guard !isWithin[row - range.lowerBound] else { return }
        for lanes in stride(from: 0, to: count, by: 8) {
          if any(Self.lanes(distances, lanes) .<= Self.lanes(radii, start + lanes)) {
            isWithin[row - range.lowerBound] = true
            return
          }
        }
      }
      return isWithin.count { $0 }
    }.reduce(0, +)
  }

  /// For each of these points, how many of `others` lie within its own radius.
  func counts(
    of others: PointCloud, withinSquaredRadii radii: [Float], pool: ThreadPool
  ) -> [Int] {
    let blocks = (points.rows + Self.rows - 1) / Self.rows
    return pool.map(blocks) { block -> [Int] in
      let range = self.range(block)
      var counts = [Int](repeating: 0, count: range.count)
      forEachRow(of: range, to: others) { row, _, count, distances in
        let radius = SIMD8(repeating: radii[row])
        var held = SIMD8<Int32>.zero
        for lanes in stride(from: 0, to: count, by: 8) {
          held.replace(with: held &+ 1, where: Self.lanes(distances, lanes) .<= radius)
        }
        counts[row - range.lowerBound] += Int(held.wrappedSum())
      }
      return counts
    }.flatMap(\.self)
  }

  private static func insert(
    _ distance: Float, into nearest: inout [Float], _ first: Int, _ neighbours: Int
  ) {
    var place = first + neighbours - 1
    guard distance < nearest[place] else { return }
    while place > first, nearest[place - 1] > distance {
      nearest[place] = nearest[place - 1]
      place -= 1
    }
    nearest[place] = distance
  }

  @inline(__always)
  private static func lanes(_ values: UnsafePointer<Float>, _ start: Int) -> SIMD8<Float> {
    UnsafeRawPointer(values + start).loadUnaligned(as: SIMD8<Float>.self)
  }

  private func range(_ block: Int) -> Range<Int> {
    block * Self.rows..<min((block + 1) * Self.rows, points.rows)
  }

  /// Calls `body` for each point of `range` and each part of `others`, with the first of these, their
  /// number, and the squared distances. They may be written to, and behind them lie infinities up to
  /// a multiple of 8.
  @inline(__always)
  private func forEachRow(
    of range: Range<Int>, to others: PointCloud,
    _ body: (_ row: Int, _ start: Int, _ count: Int, UnsafeMutablePointer<Float>) -> Void
  ) {
    let dimension = points.columns
    let lanes = 8
    var products = [Float](repeating: 0, count: range.count * Self.columns)
    var norms = [Float](repeating: 0, count: Self.columns)
    points.withPointer { x in
      others.points.withPointer { y in
        for start in stride(from: 0, to: others.points.rows, by: Self.columns) {
          let count = min(Self.columns, others.points.rows - start)
          let padded = (count + lanes - 1) / lanes * lanes
          for column in 0..<padded {
            norms[column] = column < count ? others.squaredNorms[start + column] : .infinity
          }
          products.withUnsafeMutableBufferPointer { buffer in
            guard let products = buffer.baseAddress else { return }
            gemm(
              m: range.count, n: count, k: dimension,
              a: x + range.lowerBound * dimension, strideA: dimension,
              b: y + start * dimension, strideB: dimension, transposeB: true,
              c: products, strideC: Self.columns)
            for row in range {
              let line = products + (row - range.lowerBound) * Self.columns
              for column in stride(from: 0, to: padded, by: lanes) {
                let sum = Self.lanes(norms, column) + squaredNorms[row]
                let squares = pointwiseMax(sum - 2 * Self.lanes(line, column), SIMD8(repeating: 0))
                UnsafeMutableRawPointer(line + column).storeBytes(
                  of: squares, as: SIMD8<Float>.self)
              }
              body(row, start, count, line)
            }
          }
        }
      }
    }
  }
}
