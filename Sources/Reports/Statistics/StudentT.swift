import Foundation

/// Student's t distribution.
public enum StudentT {
  /// The chance of a value at least as far from 0 as `t`, on either side.
  ///
  /// - Parameter degrees: degrees of freedom, above 0; infinite for the normal distribution.
  public static func twoSided(_ t: Double, degrees: Double) -> Double {
    guard !t.isNaN, degrees > 0 else { return .nan }
    guard t.isFinite else { return 0 }
    guard degrees.isFinite, degrees < 1e7 else { return erfc(abs(t) / 2.0.squareRoot()) }
    return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5)
  }

  /// The value that a share `level` of the distribution lies within, on both sides of 0.
  public static func halfWidth(level: Double, degrees: Double) -> Double {
    quantile(twoSided: 1 - level, degrees: degrees)
  }

  /// The value beyond which, on both sides of 0, a share `p` of the distribution lies.
  static func quantile(twoSided p: Double, degrees: Double) -> Double {
    guard degrees > 0, p > 0 else { return .infinity }
    var (low, high) = (0.0, 1.0)
    while twoSided(high, degrees: degrees) > p, high < 1e300 { (low, high) = (high, 2 * high) }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if twoSided(middle, degrees: degrees) > p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The regularised incomplete beta function I_x(a, b), by its continued fraction (Abramowitz and
  /// Stegun 26.5.8) evaluated after Lentz.
  static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    guard x > 0 else { return 0 }
    guard x < 1 else { return 1 }
    // The fraction converges fast on this side only.
    if x > (a + 1) / (a + b + 2) { return 1 - incompleteBeta(1 - x, b, a) }
    let sum: Double = lgamma(a + b)
    let parts: (Double, Double) = (lgamma(a), lgamma(b))
    let logFront = sum - parts.0 - parts.1 + a * log(x) + b * log(1 - x)
    let front = exp(logFront) / a
    let tiny = 1e-300
    func away(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
    var c = 1.0
    var d = 1 / away(1 - (a + b) * x / (a + 1))
    var result = d
    for step in 1...500 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      d = 1 / away(1 + even * d)
      c = away(1 + even / c)
      result *= d * c
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      d = 1 / away(1 + odd * d)
      c = away(1 + odd / c)
      result *= d * c
      if abs(d * c - 1) < 1e-15 { break }
    }
    return front * result
  }
}
