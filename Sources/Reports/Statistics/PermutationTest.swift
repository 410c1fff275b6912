import TensorCore

/// Tests by permutation, which keep their level at every number of samples (Fisher 1935).
public enum PermutationTest {
  public enum Alternative: String, Sendable, CaseIterable {
    case twoSided = "two-sided"
    /// The differences are greater than zero.
    case greater
    /// The differences are less than zero.
    case less
  }

  public struct Result: Sendable, Equatable {
    public let meanDifference: Double
    public let pValue: Double
    /// Whether all patterns were counted.
    public let isExact: Bool
    /// No values so many, however far from the hypothesis, could have a smaller p.
    public let smallestPValue: Double
  }

  /// Tests whether the mean of paired `differences` is zero: under the hypothesis that two conditions
  /// do not differ, the sign of each difference is a coin toss.
  ///
  /// Up to 40 differences that are not zero, p is the share of all sign patterns that are at least as
  /// extreme as the one found. Beyond, patterns are drawn: at least 10,000, at most a million, as many
  /// as p needs (`SequentialMonteCarlo`). The level holds for differences that are distributed
  /// symmetrically about zero; for others it is approached as their number grows.
  ///
  /// Flips leave Σd² as it is, and the t statistic rises with the sum where Σd² is fixed: the test by
  /// sums is the test by t statistics. Without differences p is 1; with one that is not finite it is
  /// not a number.
  public static func paired(
    _ differences: [Double], alternative: Alternative = .twoSided,
    draws: SequentialMonteCarlo = SequentialMonteCarlo(), seed: UInt64
  ) -> Result {
    let observed = differences.reduce(0, +)
    let mean = differences.isEmpty ? 0 : observed / Double(differences.count)
    guard observed.isFinite else {
      return Result(meanDifference: mean, pValue: .nan, isExact: false, smallestPValue: .nan)
    }
    let flips = SignFlips(differences)
    // Sums in another order differ by rounding; equal patterns must count as equal.
    let tolerance = 1e-12 * differences.reduce(0) { $0 + $1.magnitude }
    if flips.count <= SignFlips.largestExact {
      // Patterns come in pairs of opposite sums.
      let threshold =
        switch alternative {
        case .twoSided: observed.magnitude - tolerance
        case .greater: observed - tolerance
        case .less: -observed - tolerance
        }
      let share = flips.share(from: threshold)
      let isTwoSided = alternative == .twoSided
      let smallest = (isTwoSided ? 2.0 : 1.0) / Double(1 << flips.count)
      return Result(
        meanDifference: mean, pValue: isTwoSided ? (threshold <= 0 ? 1 : 2 * share) : share,
        isExact: true, smallestPValue: min(1, smallest))
    }
    let p = flips.pValue(draws, seed: seed) { sum in
      switch alternative {
      case .twoSided: sum.magnitude >= observed.magnitude - tolerance
      case .greater: sum >= observed - tolerance
      case .less: sum <= observed + tolerance
      }
    }
    return Result(
      meanDifference: mean, pValue: p, isExact: false, smallestPValue: draws.smallestPValue)
  }
}
