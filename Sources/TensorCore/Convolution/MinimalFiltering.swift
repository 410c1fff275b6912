/// Winograd's minimal filterings F(m, k) along one axis (Winograd 1980; Lavin & Gray 2016): m results of a
/// kernel of k taps by m + k − 1 products, one for each point,
///
///     y = Aᵀ [(G g) ⊙ (Bᵀ d)].
///
/// One along the rows in one along the columns makes the filtering of an image,
/// `Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A`. The transforms take eight tiles, channels or kernels at
/// once.
enum TwoOfTwo {
  @inline(__always)
  static func image(_ p: Lanes, _ q: Lanes, _ r: Lanes) -> (Lanes, Lanes, Lanes) {
    (p - q, q, r - q)
  }

  @inline(__always)
  static func result(_ p: Lanes, _ q: Lanes, _ r: Lanes) -> (Lanes, Lanes) { (p + q, q + r) }

  @inline(__always)
  static func weights(_ a: Lanes, _ b: Lanes) -> (Lanes, Lanes, Lanes) { (a, a + b, b) }
}

/// F(2, 3).
enum TwoOfThree {
  @inline(__always)
  static func image(
    _ p: Lanes, _ q: Lanes, _ r: Lanes, _ s: Lanes
  ) -> (Lanes, Lanes, Lanes, Lanes) {
    (p - r, q + r, r - q, q - s)
  }

  @inline(__always)
  static func result(_ p: Lanes, _ q: Lanes, _ r: Lanes, _ s: Lanes) -> (Lanes, Lanes) {
    (p + q + r, q - r - s)
  }

  @inline(__always)
  static func weights(
    _ a: Lanes, _ b: Lanes, _ c: Lanes
  ) -> (Lanes, Lanes, Lanes, Lanes) {
    (a, (a + b + c) * 0.5, (a - b + c) * 0.5, c)
  }
}

/// F(4, 3) at the points 0, ±3/4, ±3/2 and ∞.
///
/// Their powers are exact, and of the points tried they round least: beside F(2, 3) along the rows the
/// result is about as near to the exact one as a direct sum's, where 0, ±1, ±2 and ∞ are half as far again.
enum FourOfThree {
  // Computed, since stored ones would be looked up behind a lock.
  static var a: Float { 0.75 }
  static var b: Float { 1.5 }
  static var a2: Float { a * a }
  static var b2: Float { b * b }
  static var a3: Float { a2 * a }
  static var b3: Float { b2 * b }
  static var sum: Float { a2 + b2 }
  static var product: Float { a2 * b2 }

  @inline(__always)
  static func weights(
    _ x: Lanes, _ y: Lanes, _ z: Lanes
  ) -> (Lanes, Lanes, Lanes, Lanes, Lanes, Lanes) {
    // Divided by the product of a point's distances to the others.
    let atA = 1 / (2 * a2 * (a2 - b2))
    let atB = 1 / (2 * b2 * (b2 - a2))
    let (evenA, evenB) = ((x + z * a2) * atA, (x + z * b2) * atB)
    let (oddA, oddB) = (y * (a * atA), y * (b * atB))
    return (x / product, evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, z)
  }
}
