import TensorCore
import Testing

@testable import Reports

/// Means estimated from few values and many control variates.
@Suite struct ControlVariateLevelTests {
  /// Units of one simulation: values around 0.5, and controls that share `correlation` with them.
  private func units(
    _ count: Int, correlation: Double, bias: Double, _ simulation: Int
  ) -> (controls: [Double], values: [Double]) {
    let common = Population.normal.sample(count, seed: 61, simulation, 0)
    let own = Population.normal.sample(count, seed: 61, simulation, 1)
    let values = common.map { 0.5 + $0 }
    let rest = (1 - correlation * correlation).squareRoot()
    return (zip(common, own).map { bias + correlation * $0 + rest * $1 }, values)
  }

  private func estimate(
    _ count: Int, known: Int, correlation: Double, bias: Double, _ simulation: Int
  ) -> ControlVariate? {
    let (controls, values) = units(count, correlation: correlation, bias: bias, simulation)
    var random = RandomStream(seed: 62, path: [UInt64(simulation)])
    let drawn = Set(random.sample(known, of: Array(0..<count)))
    return ControlVariate(
      controls: controls, values: values.indices.map { drawn.contains($0) ? values[$0] : nil })
  }

  /// Good controls, useless ones, misleading ones; biased ones, too.
  @Test(arguments: [0.97, 0.5, 0, -0.6], [(24, 3), (24, 8), (32, 32)])
  func intervalsCoverTheMean(correlation: Double, size: (units: Int, known: Int)) {
    let simulations = 2_000
    let covered = share(of: simulations) { simulation in
      guard
        let found = estimate(
          size.units, known: size.known, correlation: correlation, bias: 2, simulation)
      else { return false }
      let interval = found.interval()
      return interval.low <= 0.5 && 0.5 <= interval.high
    }
    // The variance is estimated in parts, so that few known values are covered a little too often or too
    // seldom.
    #expect(covered > 0.925 && covered < 0.985, "\(covered)")
  }

  /// The estimator is unbiased even where the controls are biased, and its variance is what it says.
  @Test func estimatesAreUnbiased() {
    let found = (0..<4_000).compactMap {
      estimate(24, known: 4, correlation: 0.9, bias: 3, $0)
    }
    let estimates = found.map(\.estimate)
    let mean = MeanInterval.student(estimates, level: 0.999)
    #expect(mean.low <= 0.5 && 0.5 <= mean.high)
    let variance = estimates.reduce(0) { $0 + ($1 - mean.estimate) * ($1 - mean.estimate) } / 4_000
    let stated = found.reduce(0) { $0 + $1.variance } / 4_000
    #expect(abs(stated / variance - 1) < 0.1, "\(stated), \(variance)")
  }

  /// What control variates save is what theory says: 1 / ((1 − ρ²)(1 − m/N) + m/N) for the best slope.
  @Test func goodControlsSaveValues() {
    let (known, count, correlation) = (4, 40, 0.95)
    let found = (0..<3_000).compactMap { simulation -> ControlVariate? in
      let (controls, values) = units(count, correlation: correlation, bias: 0, simulation)
      // The best slope is ρ for values and controls of one variance.
      return ControlVariate(
        controls: controls.map { correlation * $0 },
        values: values.indices.map { $0 < known ? values[$0] : nil })
    }
    let ratio =
      found.reduce(0) { $0 + $1.valueVariance } / found.reduce(0) { $0 + $1.variance }
      / Double(known)
    let share = Double(known) / Double(count)
    let expected = 1 / ((1 - correlation * correlation) * (1 - share) + share)
    #expect(abs(ratio / expected - 1) < 0.1, "\(ratio), \(expected)")
  }

  @Test func oneValueTellsNothing() {
    #expect(ControlVariate(controls: [1, 2], values: [1, nil]) == nil)
    let same = ControlVariate(controls: [0, 0, 0], values: [0, 0, nil])
    #expect(same?.interval() == Interval(estimate: 0, low: 0, high: 0, level: 0.95))
    #expect(same?.pValue == 1)
  }
}
