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
