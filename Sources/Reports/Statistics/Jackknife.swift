/// The interval of a statistic from its values with one sample left out at a time (Tukey 1958).
///
/// Unlike the bootstrap it never counts a sample twice, which statistics of how well samples agree with
/// each other would take for agreement.
public enum Jackknife {
  /// Estimate ± t · √((n − 1) / n · Σ (θᵢ − θ̄)²) with n − 1 degrees of freedom.
  ///
  /// - Parameter leftOut: the statistic without each sample.
  /// - Returns: no bounds for fewer than two samples, or where a value is not finite.
  public static func interval(of estimate: Double, leftOut: [Double], level: Double = 0.95)
    -> Interval
  {
    let n = Double(leftOut.count)
    guard leftOut.count > 1, estimate.isFinite, leftOut.allSatisfy(\.isFinite) else {
      return .unbounded(around: estimate, level: level)
    }
    let mean = leftOut.reduce(0, +) / n
    let squares = leftOut.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let half =
      StudentT.halfWidth(level: level, degrees: n - 1) * ((n - 1) / n * squares).squareRoot()
    return Interval(estimate: estimate, low: estimate - half, high: estimate + half, level: level)
  }
}
