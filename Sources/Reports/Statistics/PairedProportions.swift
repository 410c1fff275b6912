/// The difference of two shares of the same samples.
public enum PairedProportions {
  /// Share of `a` minus share of `b`, pair by pair, with the square-and-add interval of Wilson's bounds
  /// and the pairs' correlation (Newcombe 1998, "Improved confidence intervals for the difference
  /// between binomial proportions based on paired data", method 10).
  ///
  /// Where all pairs agree it keeps a width, which Student's interval of the differences does not.
  ///
  /// - Precondition: as many values in both.
  public static func difference(_ a: [Bool], _ b: [Bool], level: Double = 0.95) -> Interval {
    precondition(a.count == b.count)
    guard !a.isEmpty else { return Interval(estimate: .nan, low: -1, high: 1, level: level) }
    let n = Double(a.count)
    let both = Double(zip(a, b).count { $0 && $1 })
    let onlyA = Double(zip(a, b).count { $0 && !$1 })
    let onlyB = Double(zip(a, b).count { !$0 && $1 })
    let neither = n - both - onlyA - onlyB
    let first = Wilson.interval(successes: a.count(where: \.self), trials: a.count, level: level)
    let second = Wilson.interval(successes: b.count(where: \.self), trials: b.count, level: level)
    let margins = (both + onlyA) * (onlyB + neither) * (both + onlyB) * (onlyA + neither)
    var correlation = 0.0
    if margins > 0 {
      let product = both * neither - onlyA * onlyB
      // With Newcombe's continuity correction where the correlation is positive.
      correlation =
        (product > n / 2 ? product - n / 2 : product >= 0 ? 0 : product) / margins.squareRoot()
    }
    func reach(_ x: Double, _ y: Double) -> Double {
      max(0, x * x - 2 * correlation * x * y + y * y).squareRoot()
    }
    let difference = first.estimate - second.estimate
    let below = reach(first.estimate - first.low, second.high - second.estimate)
    let above = reach(first.high - first.estimate, second.estimate - second.low)
    return Interval(
      estimate: difference, low: max(-1, difference - below), high: min(1, difference + above),
      level: level)
  }
}
