/// The interval of a ratio of two means of paired values.
public enum RatioInterval {
  /// Σ numerators / Σ denominators with Fieller's confidence set (Fieller 1954): all ratios θ for
  /// which a t test with n − 1 degrees of freedom does not reject that numerator − θ · denominator has
  /// the mean 0.
  ///
  /// It keeps its level for normal values at every n ≥ 2. Where the sign of the denominator's mean is
  /// itself in doubt (the same t test does not reject 0 for it, g ≥ 1) the set is not an interval, and
  /// there are no bounds; nor are there with fewer than two pairs.
  ///
  /// - Returns: NaN with no bounds for no pairs, or where a value is not finite.
  public static func fieller(
    _ numerators: [Double], over denominators: [Double], level: Double = 0.95
  ) -> Interval {
    precondition(numerators.count == denominators.count && level > 0 && level < 1)
    let above = Moments(numerators)
    let below = Moments(denominators)
    let estimate = above.mean / below.mean
    let n = Double(numerators.count)
    guard let spreadAbove = above.standardDeviation, let spreadBelow = below.standardDeviation,
      estimate.isFinite
    else { return .unbounded(around: estimate.isFinite ? estimate : .nan, level: level) }
    let t = StudentT.halfWidth(level: level, degrees: n - 1)
    let factor = t * t / n
    let covariance =
      zip(numerators, denominators).reduce(0) {
        $0 + ($1.0 - above.mean) * ($1.1 - below.mean)
      } / (n - 1)
    // The roots of a θ² − 2 b θ + c are where the test just rejects.
    let a = below.mean * below.mean - factor * spreadBelow * spreadBelow
    let b = above.mean * below.mean - factor * covariance
    let c = above.mean * above.mean - factor * spreadAbove * spreadAbove
    guard a > 0 else { return .unbounded(around: estimate, level: level) }
    let root = max(0, b * b - a * c).squareRoot()
    // Rounding must not put the estimate outside.
    return Interval(
      estimate: estimate, low: min((b - root) / a, estimate), high: max((b + root) / a, estimate),
      level: level)
  }
}
