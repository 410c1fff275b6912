/// The least-squares line through points.
public struct LinearFit: Sendable, Equatable {
  public let slope: Double
  public let intercept: Double
  /// Share of the variance of y that the line explains; NaN where y does not vary.
  public let rSquared: Double

  /// Fits y = intercept + slope · x.
  ///
  /// - Returns: nil unless x takes two values.
  public init?(x: [Double], y: [Double]) {
    precondition(x.count == y.count)
    let n = Double(x.count)
    let meanX = x.reduce(0, +) / n
    let meanY = y.reduce(0, +) / n
    var (xx, xy, yy) = (0.0, 0.0, 0.0)
    for (x, y) in zip(x, y) {
      xx += (x - meanX) * (x - meanX)
      xy += (x - meanX) * (y - meanY)
      yy += (y - meanY) * (y - meanY)
    }
    guard xx > 0 else { return nil }
    slope = xy / xx
    intercept = meanY - slope * meanX
    rSquared = yy > 0 ? xy * xy / (xx * yy) : .nan
  }

  /// R² of any prediction: 1 − Σ(y − ŷ)² / Σ(y − ȳ)²; below zero where the mean predicts better,
  /// NaN where y does not vary.
  public static func rSquared(of predictions: [Double], for values: [Double]) -> Double {
    precondition(predictions.count == values.count)
    let mean = values.reduce(0, +) / Double(values.count)
    let residual = zip(values, predictions).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let total = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return total > 0 ? 1 - residual / total : .nan
  }
}

extension LinearFit {
  /// Two-sided p value of the t test that the slope is 0, from the scatter about the line; NaN for
  /// fewer than three points.
  public static func slopePValue(x: [Double], y: [Double]) -> Double {
    guard x.count > 2, let fit = LinearFit(x: x, y: y) else { return .nan }
    let n = Double(x.count)
    let mean = x.reduce(0, +) / n
    let spread = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let residual = zip(x, y).reduce(0) {
      let error = $1.1 - fit.intercept - fit.slope * $1.0
      return $0 + error * error
    }
    let error = (residual / (n - 2) / spread).squareRoot()
    guard error > 0 else { return fit.slope == 0 ? 1 : 0 }
    return StudentT.twoSided(fit.slope / error, degrees: n - 2)
  }
}
