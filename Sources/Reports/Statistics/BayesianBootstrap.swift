import Foundation
import TensorCore

/// The interval of a statistic over weights of samples drawn from a flat Dirichlet distribution (Rubin
/// 1981): unlike in Efron's bootstrap no sample is ever missing, and none is there twice.
public enum BayesianBootstrap {
  /// Estimate ± z · standard deviation over `draws` weightings, cut off at the ends of `range`.
  ///
  /// - Parameters:
  ///   - range: values that the statistic can have.
  ///   - statistic: of weights that sum to the number of samples.
  /// - Returns: no bounds for fewer than two samples, or where a value is not finite.
  public static func interval(
    of estimate: Double, samples: Int, within range: ClosedRange<Double>, draws: Int = 200,
    level: Double = 0.95, seed: UInt64, _ statistic: ([Double]) -> Double
  ) -> Interval {
    var random = RandomStream(seed: seed, path: [0xBA7E5])
    let values = (0..<draws).map { _ in
      let weights = (0..<samples).map { _ in -log((Double(random.nextUInt32()) + 0.5) * 0x1p-32) }
      let mean = weights.reduce(0, +) / Double(samples)
      return statistic(weights.map { $0 / mean })
    }
    guard samples > 1, estimate.isFinite, let spread = Moments(values).standardDeviation else {
      return .unbounded(around: estimate, level: level)
    }
    let half = normalQuantile(1 - (1 - level) / 2) * spread
    return Interval(
      estimate: estimate, low: max(range.lowerBound, estimate - half),
      high: min(range.upperBound, estimate + half), level: level)
  }
}
