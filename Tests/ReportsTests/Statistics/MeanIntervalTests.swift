import Reports
import Testing

@Suite struct MeanIntervalTests {
  @Test func studentsSleep() {
    // Student 1908, hours of sleep gained, second drug less first; R's t.test.
    let interval = MeanInterval.student([1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4])
    #expect(abs(interval.estimate - 1.58) < 1e-12)
    #expect(abs(interval.low - 0.7001142) < 1e-6 && abs(interval.high - 2.4598858) < 1e-6)
  }

  @Test func twoValuesByHand() {
    // s / √2 = 1 and t = tan(0.475 π) with one degree of freedom.
    let interval = MeanInterval.student([4, 6])
    #expect(interval.estimate == 5 && abs(interval.high - 5 - 12.706204736) < 1e-6)
    #expect(abs(MeanInterval.student([4, 6], level: 0.5).low - 4) < 1e-9)
  }

  @Test func fewOrEqualValues() {
    let one = MeanInterval.student([7])
    #expect(one.estimate == 7 && one.low == -.infinity && one.high == .infinity)
    let none = MeanInterval.student([])
    #expect(none.estimate.isNaN && none.low == -.infinity && none.high == .infinity)
    // Ten tenths do not add up to one; the spread of equal values is zero all the same.
    let equal = MeanInterval.student([Double](repeating: 0.1, count: 10))
    #expect(equal.estimate == 0.1 && equal.low == 0.1 && equal.high == 0.1)
    for broken in [Double.nan, .infinity] {
      let interval = MeanInterval.student([1, broken, 2])
      #expect(interval.estimate.isNaN && interval.low == -.infinity)
    }
  }
}

@Suite struct RatioIntervalTests {
  @Test func endsAreWhereTheTestJustRejects() {
    let above = [2.1, 3.4, 1.2, 4.0, 2.2, 2.9, 3.8, 1.7]
    let below = [4.0, 5.1, 3.2, 6.6, 3.9, 4.4, 5.0, 4.2]
    // By bisection of the t test of above − θ · below, without Fieller's formula.
    let interval = RatioInterval.fieller(above, over: below)
    #expect(abs(interval.estimate - 0.5851648351648351) < 1e-12)
    #expect(abs(interval.low - 0.46973245437172745) < 1e-9, "\(interval)")
    #expect(abs(interval.high - 0.6784429497901838) < 1e-9, "\(interval)")
    // The scale of either does not matter, nor their common sign.
    let turned = RatioInterval.fieller(above.map { -1e6 * $0 }, over: below.map { -1e6 * $0 })
    #expect(abs(turned.low - interval.low) < 1e-9 && abs(turned.high - interval.high) < 1e-9)
  }

  @Test func aDoubtfulDenominatorLeavesNoBounds() {
    // t of the denominator is 1.46 with three degrees of freedom.
    let doubtful = RatioInterval.fieller([1, 2, 3, 4], over: [2, -0.5, 1.5, 0.2])
    #expect(abs(doubtful.estimate - 3.125) < 1e-12)
    #expect(doubtful.low == -.infinity && doubtful.high == .infinity)
    let single = RatioInterval.fieller([19.96], over: [1])
    #expect(single.estimate == 19.96 && single.low == -.infinity && single.high == .infinity)
    for (above, below) in [([], []), ([1, 2], [1, -1]), ([1, .nan], [1.0, 2])] {
      let interval = RatioInterval.fieller(above, over: below)
      #expect(interval.estimate.isNaN && interval.low == -.infinity && interval.high == .infinity)
    }
  }

  @Test func proportionalValuesHaveAnExactRatio() {
    let below = [4.0, 5.1, 3.2, 6.6]
    let interval = RatioInterval.fieller(below.map { 0.5 * $0 }, over: below)
    #expect(abs(interval.low - 0.5) < 1e-7 && abs(interval.high - 0.5) < 1e-7)
  }
}
