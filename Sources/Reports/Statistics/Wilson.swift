import Foundation

/// Wilson's score interval of a proportion, which keeps its level near 0 and 1 and with few trials
/// (Wilson 1927).
public enum Wilson {
  /// - Returns: the interval around successes / trials; with no trials, 0 to 1 around NaN.
  public static func interval(successes: Int, trials: Int, level: Double = 0.95) -> Interval {
    precondition(successes >= 0 && successes <= trials && level > 0 && level < 1)
    guard trials > 0 else { return Interval(estimate: .nan, low: 0, high: 1, level: level) }
    let n = Double(trials)
    let share = Double(successes) / n
    let z = normalQuantile((1 + level) / 2)
    let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    let half =
      z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
    // Exact at the ends, where rounding would leave a bound a little inside or outside.
    return Interval(
      estimate: share, low: successes == 0 ? 0 : max(0, centre - half),
      high: successes == trials ? 1 : min(1, centre + half), level: level)
  }
}

/// The standard normal distribution's quantile of `share` in 0.5..<1, by bisection.
public func normalQuantile(_ share: Double) -> Double {
  var (low, high) = (0.0, 40.0)
  for _ in 0..<100 {
    let middle = (low + high) / 2
    if erfc(middle / 2.0.squareRoot()) / 2 > 1 - share { low = middle } else { high = middle }
  }
  return (low + high) / 2
}
