/// Sums, differences, products and quotients value by value; shapes broadcast by NumPy's rule.
extension Tensor {
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    let (shapeA, shapeB) = (a.shape, b.shape)
    return combined(a, b, "sum") { $0 + $1 }.recorded(
      Pullback(a) { $0.summed(to: shapeA) }, Pullback(b) { $0.summed(to: shapeB) })
  }

  public static func - (a: Tensor, b: Tensor) -> Tensor {
    let (shapeA, shapeB) = (a.shape, b.shape)
    return combined(a, b, "difference") { $0 - $1 }.recorded(
      Pullback(a) { $0.summed(to: shapeA) }, Pullback(b) { -$0.summed(to: shapeB) })
  }

  public static func * (a: Tensor, b: Tensor) -> Tensor {
    let (shapeA, shapeB) = (a.shape, b.shape)
    return combined(a, b, "product") { $0 * $1 }.recorded(
      Pullback(a) { ($0 * b).summed(to: shapeA) }, Pullback(b) { ($0 * a).summed(to: shapeB) })
  }

  public static func / (a: Tensor, b: Tensor) -> Tensor {
    let (shapeA, shapeB) = (a.shape, b.shape)
    return combined(a, b, "quotient") { $0 / $1 }.recorded(
      Pullback(a) { ($0 / b).summed(to: shapeA) },
      Pullback(b, output: { -($0 * $1 / b).summed(to: shapeB) }))
  }

  public static prefix func - (x: Tensor) -> Tensor { x.scaled(by: -1) }
  public static func * (x: Tensor, factor: Float) -> Tensor { x.scaled(by: factor) }
  public static func * (factor: Float, x: Tensor) -> Tensor { x.scaled(by: factor) }
  public static func / (x: Tensor, divisor: Float) -> Tensor { x.scaled(by: 1 / divisor) }
  public static func / (dividend: Float, x: Tensor) -> Tensor { Tensor(dividend) / x }
  public static func + (x: Tensor, term: Float) -> Tensor { x.scaled(by: 1, adding: term) }
  public static func + (term: Float, x: Tensor) -> Tensor { x.scaled(by: 1, adding: term) }
  public static func - (x: Tensor, term: Float) -> Tensor { x.scaled(by: 1, adding: -term) }
  public static func - (term: Float, x: Tensor) -> Tensor { x.scaled(by: -1, adding: term) }

  /// `x · factor + term`.
  public func scaled(by factor: Float, adding term: Float = 0) -> Tensor {
    mapped(self) { $0 * factor + term }.recorded(Pullback(self) { $0.scaled(by: factor) })
  }

  /// `(a + b) · factor` for tensors of one shape: a residual connection in one pass.
  public static func scaledSum(_ a: Tensor, _ b: Tensor, factor: Float) -> Tensor {
    precondition(a.shape == b.shape, "scaled sum: shapes \(a.shape) and \(b.shape) differ")
    return combined(a, b, "scaled sum") { ($0 + $1) * factor }.recorded(jointly: [a, b]) {
      g, needs in
      let scaled = g.scaled(by: factor)
      return needs.map { $0 ? scaled : nil }
    }
  }

  /// `x²`.
  public func squared() -> Tensor {
    mapped(self) { $0 * $0 }.recorded(Pullback(self) { ($0 * self).scaled(by: 2) })
  }

  /// Adds a constant of the same shape to a constant, without a new tensor where this one is not
  /// shared.
  mutating func addInPlace(_ other: Tensor) {
    precondition(shape == other.shape, "sum of gradients of shapes \(shape) and \(other.shape)")
    let (target, source) = (storage, other.storage)
    Compute.pool.forEachRange(of: count, grain: Compute.grain) { range in
      let start = range.lowerBound
      mapLanes(
        target.pointer + start, source.pointer + start, count: range.count,
        into: target.pointer + start
      ) { $0 + $1 }
    }
  }
}
