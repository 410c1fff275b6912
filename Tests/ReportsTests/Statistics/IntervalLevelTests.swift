import Testing

@testable import Reports

/// How often intervals at 95 % hold the truth.
@Suite struct IntervalLevelTests {
  static let sizes = [2, 3, 6, 8, 32]

  @Test(arguments: sizes) func studentCoversTheMeanOfNormalValues(count: Int) {
    let simulations = 2_000
    let covered = share(of: simulations) { simulation in
      let values = Population.normal.sample(count, seed: 21, simulation).map { 3 + 2 * $0 }
      let interval = MeanInterval.student(values)
      return interval.low <= 3 && 3 <= interval.high
    }
    #expect(abs(covered - 0.95) < threeErrors(0.95, simulations), "\(covered)")
  }

  /// Short of 95 % for few skewed values: the miss is on the side of the long tail.
  @Test(arguments: sizes) func studentNearlyCoversTheMeanOfSkewedValues(count: Int) {
    let covered = share(of: 2_000) { simulation in
      let interval = MeanInterval.student(Population.skewed.sample(count, seed: 22, simulation))
      return interval.low <= 0 && 0 <= interval.high
    }
    #expect(covered > 0.87, "\(covered)")
  }

  /// A denominator far from 0, and one whose sign is in doubt: there the interval has no bounds, which
  /// counts as holding the truth.
  @Test(arguments: sizes, [6.0, 1]) func fiellerCoversTheRatio(count: Int, denominator: Double) {
    let simulations = 2_000
    var bounded = 0
    let covered = share(of: simulations) { simulation in
      let common = Population.normal.sample(count, seed: 23, simulation, 0)
      let own = Population.normal.sample(count, seed: 23, simulation, 1)
      let below = common.map { denominator + $0 }
      // Correlated with the denominator; the ratio of means is 0.75.
      let above = zip(common, own).map { 0.75 * denominator + 0.6 * $0 + 0.5 * $1 }
      let interval = RatioInterval.fieller(above, over: below)
      if interval.low.isFinite { bounded += 1 }
      return interval.low <= 0.75 && 0.75 <= interval.high
    }
    #expect(covered >= 0.95 - threeErrors(0.95, simulations), "\(covered)")
    if denominator == 6, count > 2 {
      #expect(covered <= 0.95 + threeErrors(0.95, simulations), "\(covered)")
      #expect(Double(bounded) > 0.95 * Double(simulations))
    }
    if denominator == 1, count == 3 { #expect(Double(bounded) < 0.5 * Double(simulations)) }
  }
}
