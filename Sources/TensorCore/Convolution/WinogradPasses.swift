/// The minimal filterings over arrays of tiles: `count` of them in vectors of eight, of which the last
/// may read and write up to seven values behind the end.
///
/// Each is a function of its own with few values in flight: where the two axes were done in registers
/// at once, the compiler took the sums apart into single numbers.
enum WinogradPasses {
  /// Along some rows of an image, `rowStride` apart, whose even columns lie at their beginnings and whose odd
  /// ones lie `half` further on. Point `x` of each tile goes to `out + x · stride`, the tiles of all rows
  /// one after the other.
  @inline(never)
  static func rowsOfThree(
    _ image: UnsafePointer<Float>, half: Int, rows: Int, rowStride: Int, count: Int,
    into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    for row in 0..<rows {
      let even = image + row * rowStride
      let odd = even + half
      let target = out + row * count
      var index = 0
      while index < count {
        let v = TwoOfThree.image(
          even.lanes(index), odd.lanes(index), even.lanes(index + 1), odd.lanes(index + 1))
        target.store(v.0, index)
        target.store(v.1, index + stride)
        target.store(v.2, index + 2 * stride)
        target.store(v.3, index + 3 * stride)
        index += 8
      }
    }
  }

  @inline(never)
  static func rowsOfTwo(
    _ image: UnsafePointer<Float>, half: Int, rows: Int, rowStride: Int, count: Int,
    into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    for row in 0..<rows {
      let even = image + row * rowStride
      let odd = even + half
      let target = out + row * count
      var index = 0
      while index < count {
        let v = TwoOfTwo.image(even.lanes(index), odd.lanes(index), even.lanes(index + 1))
        target.store(v.0, index)
        target.store(v.1, index + stride)
        target.store(v.2, index + 2 * stride)
        index += 8
      }
    }
  }

  /// Down the columns: row `y` of each tile lies at `rows + y · step`, but rows 2 and 3 (of two) or 4 and
  /// 5 (of four), which are the first ones of the tiles below, at `below` and `below + step`. Point `y`
  /// goes to `out + y · stride`.
  @inline(never)
  static func columnTwoOfThree(
    _ rows: UnsafePointer<Float>, below: UnsafePointer<Float>, step: Int, count: Int,
    into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    var index = 0
    while index < count {
      let v = TwoOfThree.image(
        rows.lanes(index), rows.lanes(index + step), below.lanes(index), below.lanes(index + step))
      out.store(v.0, index)
      out.store(v.1, index + stride)
      out.store(v.2, index + 2 * stride)
      out.store(v.3, index + 3 * stride)
      index += 8
    }
  }

  @inline(never)
  static func columnTwoOfTwo(
    _ rows: UnsafePointer<Float>, below: UnsafePointer<Float>, step: Int, count: Int,
    into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    var index = 0
    while index < count {
      let v = TwoOfTwo.image(rows.lanes(index), rows.lanes(index + step), below.lanes(index))
      out.store(v.0, index)
      out.store(v.1, index + stride)
      out.store(v.2, index + 2 * stride)
      index += 8
    }
  }

  @inline(never)
  static func columnFourOfThree(
    _ rows: UnsafePointer<Float>, below: UnsafePointer<Float>, step: Int, count: Int,
    into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    typealias F = FourOfThree
    let (a, b) = (Lanes(repeating: F.a), Lanes(repeating: F.b))
    let (minusA, minusB) = (Lanes(repeating: -F.a), Lanes(repeating: -F.b))
    let (minusA2, minusB2) = (Lanes(repeating: -F.a2), Lanes(repeating: -F.b2))
    let (minusSum, product) = (Lanes(repeating: -F.sum), Lanes(repeating: F.product))
    var index = 0
    while index < count {
      let (p, q) = (rows.lanes(index), rows.lanes(index + step))
      let (r, s) = (rows.lanes(index + 2 * step), rows.lanes(index + 3 * step))
      let (t, u) = (below.lanes(index), below.lanes(index + step))
      out.store(multiplyAdd(multiplyAdd(t, minusSum, r), product, p), index)
      out.store(multiplyAdd(multiplyAdd(u, minusSum, s), product, q), index + 5 * stride)
      let (evenA, oddA) = (multiplyAdd(t, minusB2, r), multiplyAdd(s, minusB2, q))
      out.store(multiplyAdd(evenA, a, oddA), index + stride)
      out.store(multiplyAdd(evenA, minusA, oddA), index + 2 * stride)
      let (evenB, oddB) = (multiplyAdd(t, minusA2, r), multiplyAdd(s, minusA2, q))
      out.store(multiplyAdd(evenB, b, oddB), index + 3 * stride)
      out.store(multiplyAdd(evenB, minusB, oddB), index + 4 * stride)
      index += 8
    }
  }

  /// The two results of each tile along the points of a row, point `x` of which lies at
  /// `points + x · stride`; the second results go `step` further on.
  @inline(never)
  static func rowResultsOfThree(
    _ points: UnsafePointer<Float>, stride: Int, count: Int,
    into out: UnsafeMutablePointer<Float>, step: Int
  ) {
    var index = 0
    while index < count {
      let v = TwoOfThree.result(
        points.lanes(index), points.lanes(index + stride), points.lanes(index + 2 * stride),
        points.lanes(index + 3 * stride))
      out.store(v.0, index)
      out.store(v.1, index + step)
      index += 8
    }
  }

  @inline(never)
  static func rowResultsOfTwo(
    _ points: UnsafePointer<Float>, stride: Int, count: Int,
    into out: UnsafeMutablePointer<Float>, step: Int
  ) {
    var index = 0
    while index < count {
      let v = TwoOfTwo.result(
        points.lanes(index), points.lanes(index + stride), points.lanes(index + 2 * stride))
      out.store(v.0, index)
      out.store(v.1, index + step)
      index += 8
    }
  }

  /// The results of each tile down the points of a column, and `bias`; result and point `y` lie at
  /// `y · step`.
  @inline(never)
  static func columnResultsTwoOfThree(
    _ points: UnsafePointer<Float>, step: Int, count: Int, bias: Float,
    into out: UnsafeMutablePointer<Float>
  ) {
    let bias = Lanes(repeating: bias)
    var index = 0
    while index < count {
      let v = TwoOfThree.result(
        points.lanes(index), points.lanes(index + step), points.lanes(index + 2 * step),
        points.lanes(index + 3 * step))
      out.store(v.0 + bias, index)
      out.store(v.1 + bias, index + step)
      index += 8
    }
  }

  @inline(never)
  static func columnResultsTwoOfTwo(
    _ points: UnsafePointer<Float>, step: Int, count: Int, bias: Float,
    into out: UnsafeMutablePointer<Float>
  ) {
    let bias = Lanes(repeating: bias)
    var index = 0
    while index < count {
      let v = TwoOfTwo.result(
        points.lanes(index), points.lanes(index + step), points.lanes(index + 2 * step))
      out.store(v.0 + bias, index)
      out.store(v.1 + bias, index + step)
      index += 8
    }
  }

  @inline(never)
  static func columnResultsFourOfThree(
    _ points: UnsafePointer<Float>, step: Int, count: Int, bias: Float,
    into out: UnsafeMutablePointer<Float>
  ) {
    typealias F = FourOfThree
    let (a, b) = (Lanes(repeating: F.a), Lanes(repeating: F.b))
    let (a2, b2) = (Lanes(repeating: F.a2), Lanes(repeating: F.b2))
    let (a3, b3) = (Lanes(repeating: F.a3), Lanes(repeating: F.b3))
    let bias = Lanes(repeating: bias)
    var index = 0
    while index < count {
      let (p, q) = (points.lanes(index + step), points.lanes(index + 2 * step))
      let (r, s) = (points.lanes(index + 3 * step), points.lanes(index + 4 * step))
      let (evenA, oddA, evenB, oddB) = (p + q, p - q, r + s, r - s)
      out.store(points.lanes(index) + evenA + evenB + bias, index)
      out.store(multiplyAdd(multiplyAdd(bias, a, oddA), b, oddB), index + step)
      out.store(multiplyAdd(multiplyAdd(bias, a2, evenA), b2, evenB), index + 2 * step)
      out.store(
        multiplyAdd(multiplyAdd(points.lanes(index + 5 * step) + bias, a3, oddA), b3, oddB),
        index + 3 * step)
      index += 8
    }
  }
}
