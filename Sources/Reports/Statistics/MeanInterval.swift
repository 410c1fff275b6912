/// The interval of a mean by Student's t (Student 1908).
public enum MeanInterval {
  /// Mean ± t · s / √n with n − 1 degrees of freedom.
  ///
  /// It keeps its level for normal values at every n ≥ 2, and nearly so for others as n grows. With
  /// fewer than two values nothing is known of their spread, and the interval has no bounds.
  ///
  /// Values that are all equal give an interval without width. A measured quantity repeats itself
  /// exactly only where it cannot vary, such as the effect of a patch that nothing reads, and is then
  /// known. Counts can repeat by chance: shares of successes have `Wilson`.
  ///
  /// - Returns: NaN with no bounds for no values, or where one is not finite.
  public static func student(_ values: [Double], level: Double = 0.95) -> Interval {
    precondition(level > 0 && level < 1)
    let moments = Moments(values)
    guard let deviation = moments.standardDeviation, moments.mean.isFinite else {
      return .unbounded(
        around: moments.mean.isFinite ? moments.mean : .nan, level: level)
    }
    let error = deviation / Double(values.count).squareRoot()
    let half =
      error > 0 ? StudentT.halfWidth(level: level, degrees: Double(values.count - 1)) * error : 0
    return Interval(
      estimate: moments.mean, low: moments.mean - half, high: moments.mean + half, level: level)
  }
}

/// Mean and spread of a sample.
struct Moments {
  let count: Int
  /// NaN without values.
  let mean: Double
  /// With n − 1 below; nil for fewer than two values, exactly 0 where all are equal.
  let standardDeviation: Double?

  init(_ values: [Double]) {
    count = values.count
    let sum = values.reduce(0, +)
    guard let first = values.first, !values.allSatisfy({ $0 == first }) else {
      // Rounding of the sum would leave a spread where there is none.
      mean = values.first ?? .nan
      standardDeviation = values.count > 1 && sum.isFinite ? 0 : nil
      return
    }
    let mean = sum / Double(values.count)
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(values.count - 1)).squareRoot()
    standardDeviation = values.count > 1 && deviation.isFinite ? deviation : nil
  }
}
