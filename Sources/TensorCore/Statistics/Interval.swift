/// An estimate with its confidence interval.
public struct Interval: Sendable, Equatable {
  public let estimate: Double
  /// −∞ where the data set no lower bound.
  public let low: Double
  /// +∞ where the data set no upper bound.
  public let high: Double
  /// For example 0.95.
  public let level: Double

  public init(estimate: Double, low: Double, high: Double, level: Double) {
    self.estimate = estimate
    self.low = low
    self.high = high
    self.level = level
  }
}
