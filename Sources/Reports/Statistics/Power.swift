import Foundation

/// How many samples a test needs.
public enum Power {
  /// The smallest number of samples at which a two-sided t test of one mean at `level` finds an effect
  /// of the size given with the chance `power`; nil where the mean is 0, either number is not finite,
  /// or more than a million samples would be needed.
  ///
  /// - Parameters:
  ///   - mean: the effect.
  ///   - standardDeviation: of one sample, at least 0.
  public static func samplesToDecide(
    mean: Double, standardDeviation: Double, level: Double, power: Double = 0.8
  ) -> Int? {
    guard mean != 0, mean.isFinite, standardDeviation.isFinite, standardDeviation >= 0,
      level > 0, level < 1, power > 0, power < 1
    else { return nil }
    guard standardDeviation > 0 else { return 2 }
    let effect = mean.magnitude / standardDeviation
    func suffices(_ samples: Int) -> Bool {
      self.power(effect: effect, samples: samples, level: level) >= power
    }
    let most = 1_000_000
    guard suffices(most) else { return nil }
    var (low, high) = (1, most)
    while high - low > 1 {
      let middle = (low + high) / 2
      if suffices(middle) { high = middle } else { low = middle }
    }
    return high
  }

  /// The chance that a two-sided t test at `level` rejects, for normal samples.
  ///
  /// - Parameter effect: the mean in standard deviations.
  static func power(effect: Double, samples: Int, level: Double) -> Double {
    let degrees = Double(samples - 1)
    let shift = effect * Double(samples).squareRoot()
    let critical = StudentT.halfWidth(level: 1 - level, degrees: degrees)
    // t is (z + shift) / s with s = √(χ² / degrees): the mean over s, by Simpson's rule.
    let spread = 10 / (2 * degrees).squareRoot()
    let (low, high) = (max(0, 1 - spread), 1 + spread)
    let half: Double = lgamma(degrees / 2)
    let front = log(2) + degrees / 2 * log(degrees / 2) - half
    let steps = 400
    var total = 0.0
    for step in 0...steps {
      let s = low + (high - low) * Double(step) / Double(steps)
      let logDensity =
        front + (degrees == 1 ? 0 : (degrees - 1) * log(s)) - degrees * s * s / 2
      let chance = upperTail(critical * s - shift) + upperTail(critical * s + shift)
      let weight = step == 0 || step == steps ? 1.0 : step % 2 == 1 ? 4 : 2
      total += weight * exp(logDensity) * chance
    }
    return total * (high - low) / Double(steps) / 3
  }

  private static func upperTail(_ z: Double) -> Double { erfc(z / 2.0.squareRoot()) / 2 }
}
