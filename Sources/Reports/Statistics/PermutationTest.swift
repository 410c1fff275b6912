import TensorCore

/// The paired permutation test: under the hypothesis that two conditions do not differ, the sign of
/// each episode's difference is a coin toss (Fisher 1935).
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
    /// Whether all sign patterns were enumerated.
    public let isExact: Bool
  }

  /// Up to this many differences all sign patterns are enumerated.
  public static let largestExact = 14

  /// Tests whether the mean of `differences` is zero.
  ///
  /// Up to `largestExact` differences, p is the share of all sign patterns that are at least as
  /// extreme as the one found. Beyond, it is (b + 1) / (m + 1) with b of m random patterns so extreme,
  /// which keeps the level exactly and is never zero (Phipson and Smyth 2010). Without differences p
  /// is 1; with one that is not a number it is not a number.
  public static func paired(
    _ differences: [Double], alternative: Alternative = .twoSided, permutations: Int = 10_000,
    seed: UInt64
  ) -> Result {
    precondition(permutations > 0)
    let count = differences.count
    let observed = differences.reduce(0, +)
    let mean = count == 0 ? 0 : observed / Double(count)
    guard observed.isFinite else {
      return Result(meanDifference: mean, pValue: .nan, isExact: false)
    }
    // Sums in another order differ by rounding; equal patterns must count as equal.
    let tolerance = 1e-12 * differences.reduce(0) { $0 + $1.magnitude }
    func isExtreme(_ sum: Double) -> Bool {
      switch alternative {
      case .twoSided: sum.magnitude >= observed.magnitude - tolerance
      case .greater: sum >= observed - tolerance
      case .less: sum <= observed + tolerance
      }
    }
    func sum(_ signs: (Int) -> Bool) -> Double {
      var total = 0.0
      for i in 0..<count { total += signs(i) ? differences[i] : -differences[i] }
      return total
    }

    if count <= largestExact {
      let extreme = (0..<1 << count).count { pattern in isExtreme(sum { pattern >> $0 & 1 == 1 }) }
      return Result(
        meanDifference: mean, pValue: Double(extreme) / Double(1 << count), isExact: true)
    }
    var words = [UInt32](repeating: 0, count: (count + 31) / 32)
    let extreme = (0..<permutations).count { permutation in
      var random = RandomStream(seed: seed, path: [0x7369_676E, UInt64(permutation)])
      for i in words.indices { words[i] = random.nextUInt32() }
      return isExtreme(sum { words[$0 >> 5] >> UInt32($0 & 31) & 1 == 1 })
    }
    return Result(
      meanDifference: mean, pValue: Double(extreme + 1) / Double(permutations + 1), isExact: false)
  }
}
