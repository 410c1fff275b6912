/// The minimal filterings over arrays of tiles: `count` of them in vectors of eight, of which the last
/// may read and write up to seven values behind the end.
///
/// Each is a function of its own with few values in flight: where the two axes were done in registers
/// at once, the compiler took the sums apart into single numbers.
enum WinogradPasses {
  /// `Bᵀ d` of tiles of two results, in some rows of tiles that lie `rowStride` apart. Of the values of a tile
  /// the second lies `odd` behind the first, and the third, the first one of the tile after it, `next`.
  /// Point `i` goes to `out + i · stride`, the tiles of all rows one after the other.
  @inline(never)
  static func imageTwoOfThree(
    _ image: UnsafePointer<Float>, odd: Int, next: Int, rows: Int, rowStride: Int, count: Int,
    into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    for row in 0..<rows {
      let (first, second) = (image + row * rowStride, image + row * rowStride + odd)
      let target = out + row * count
      var index = 0
      while index < count {
        let v = TwoOfThree.image(
          first.lanes(index), second.lanes(index), first.lanes(index + next),
          second.lanes(index + next))
        target.store(v.0, index)
        target.store(v.1, index + stride)
        target.store(v.2, index + 2 * stride)
        target.store(v.3, index + 3 * stride)
        index += 8
      }
    }
  }

  @inline(never)
  static func imageTwoOfTwo(
    _ image: UnsafePointer<Float>, odd: Int, next: Int, rows: Int, rowStride: Int, count: Int,
    into out: UnsafeMutablePointer<Float>, stride: Int
  ) {
    for row in 0..<rows {
      let (first, second) = (image + row * rowStride, image + row * rowStride + odd)
      let target = out + row * count
      var index = 0
      while index < count {
        let v = TwoOfTwo.image(
          first.lanes(index), second.lanes(index), first.lanes(index + next))
        target.store(v.0, index)
        target.store(v.1, index + stride)
        target.store(v.2, index + 2 * stride)
        index += 8
      }
    }
  }

  /// The same of tiles of four: the fifth value lies `next` behind the first, the others `step` behind the
  /// one before.
  @inline(never)
  static func imageFourOfThree(
    _ rows: UnsafePointer<Float>, step: Int, next: Int, count: Int,
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
      let (t, u) = (rows.lanes(index + next), rows.lanes(index + next + step))
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

  /// `Aᵀ m` of tiles of two results, and `bias`: point `i` lies at `points + i · stride`, the second result goes
  /// `step` behind the first.
  @inline(never)
  static func resultsTwoOfThree(
    _ points: UnsafePointer<Float>, stride: Int, count: Int, bias: Float,
    into out: UnsafeMutablePointer<Float>, step: Int
  ) {
    let bias = Lanes(repeating: bias)
    var index = 0
    while index < count {
      let v = TwoOfThree.result(
        points.lanes(index), points.lanes(index + stride), points.lanes(index + 2 * stride),
        points.lanes(index + 3 * stride))
      out.store(v.0 + bias, index)
      out.store(v.1 + bias, index + step)
      index += 8
    }
  }

  @inline(never)
  static func resultsTwoOfTwo(
    _ points: UnsafePointer<Float>, stride: Int, count: Int, bias: Float,
    into out: UnsafeMutablePointer<Float>, step: Int
  ) {
    let bias = Lanes(repeating: bias)
    var index = 0
    while index < count {
      let v = TwoOfTwo.result(
        points.lanes(index), points.lanes(index + stride), points.lanes(index + 2 * stride))
      out.store(v.0 + bias, index)
      out.store(v.1 + bias, index + step)
      index += 8
    }
  }

  /// The same of tiles of four; results and points lie `step` apart.
  @inline(never)
  static func resultsFourOfThree(
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
