/// The mean of many values of which few are known, each with an estimate: a regression (or difference)
/// estimator of survey sampling, in two phases (Cochran 1977, chapter 12).
///
/// With the values yᵢ known for a simple random sample of m of the N units, and control variates xᵢ for all of
/// them, the estimator is mean_N(x) + mean_m(y − x). It is unbiased whatever the control variates are, as long
/// as they do not depend on which units were drawn; the better they are, the less the differences vary.
public struct ControlVariate: Sendable, Equatable {
  /// Units, and how many of them are known.
  public let units: Int
  public let known: Int
  public let estimate: Double
  /// Of the estimate, as that of the mean of the population that the units come from.
  public let variance: Double
  /// Of the variance, by Welch and Satterthwaite.
  public let degrees: Double
  /// Of a single value, from those that are known.
  public let valueVariance: Double
  /// Of a single difference.
  public let differenceVariance: Double

  /// - Parameters:
  ///   - controls: one a unit.
  ///   - values: one a unit; nil where it is not known.
  /// - Returns: nil where fewer than two values are known.
  public init?(controls: [Double], values: [Double?]) {
    precondition(controls.count == values.count)
    let pairs = zip(controls, values).compactMap { x, y in y.map { (x: x, y: $0) } }
    guard pairs.count > 1 else { return nil }
    let differences = pairs.map { $0.y - $0.x }
    let all = Moments(controls)
    let rest = Moments(differences)
    units = controls.count
    known = pairs.count
    estimate = all.mean + rest.mean
    func square(_ moments: Moments) -> Double {
      moments.standardDeviation.map { $0 * $0 } ?? .nan
    }
    valueVariance = square(Moments(pairs.map(\.y)))
    differenceVariance = square(rest)
    let meanControl = pairs.reduce(0) { $0 + $1.x } / Double(known)
    let covariance =
      zip(pairs, differences).reduce(0) { $0 + ($1.0.x - meanControl) * ($1.1 - rest.mean) }
      / Double(known - 1)
    // Both means are of the same units, so they vary together.
    let sum =
      square(all) / Double(units) + differenceVariance / Double(known)
      + 2 * covariance / Double(units)
    let parts = (square(all) / Double(units), differenceVariance / Double(known))
    degrees =
      (parts.0 + parts.1) * (parts.0 + parts.1)
      / (parts.0 * parts.0 / Double(units - 1) + parts.1 * parts.1 / Double(known - 1))
    // An estimated covariance can take more than there is; the differences' part is always there.
    variance = max(sum, differenceVariance / Double(known) * (1 - Double(known) / Double(units)))
  }

  /// Student's interval.
  public func interval(level: Double = 0.95) -> Interval {
    guard variance.isFinite else { return .unbounded(around: estimate, level: level) }
    let half =
      variance > 0
      ? StudentT.halfWidth(level: level, degrees: degrees) * variance.squareRoot() : 0
    return Interval(estimate: estimate, low: estimate - half, high: estimate + half, level: level)
  }

  /// Of a t test that the mean is 0.
  public var pValue: Double {
    guard variance > 0 else { return estimate == 0 ? 1 : .nan }
    return StudentT.twoSided(estimate / variance.squareRoot(), degrees: degrees)
  }
}
