import TensorCore

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

  /// An estimate of which the data say nothing more.
  public static func unbounded(around estimate: Double, level: Double) -> Interval {
    Interval(estimate: estimate, low: -.infinity, high: .infinity, level: level)
  }
}

extension Interval {
  /// For scripts; a bound that is not finite is null.
  public var json: JSONValue {
    ["mean": .number(estimate), "low": .number(low), "high": .number(high)]
  }

  /// For reading: `0.81 [0.74, 0.87]`.
  public func text(digits: Int) -> String { formattedInterval(estimate, low, high, digits: digits) }
}
