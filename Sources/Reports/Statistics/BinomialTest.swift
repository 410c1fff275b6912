import Foundation

/// The exact binomial test.
public enum BinomialTest {
  /// The chance of at least `successes` of `trials` where each has the chance `chance`, strictly between
  /// 0 and 1.
  public static func upperTail(successes: Int, trials: Int, chance: Double) -> Double {
    precondition(successes >= 0 && trials >= 0 && chance > 0 && chance < 1)
    guard successes > 0 else { return 1 }
    guard successes <= trials else { return 0 }
    let n = Double(trials)
    return min(
      1,
      (successes...trials).reduce(0) { sum, k in
        let k = Double(k)
        let ways = lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
        return sum + exp(ways + k * log(chance) + (n - k) * log(1 - chance))
      })
  }
}
