import Testing

@testable import RuleVectors

@Suite struct RecoveryTests {
  private func outcomes(_ patched: [Float], _ recipient: [Float], _ donor: [Float]) -> [Outcome] {
    zip(patched, zip(recipient, donor)).map { patched, ends in
      Outcome(
        patched: Measurement(logitDifference: patched, probability: 0.5, isTop: false),
        donor: ends.1, recipient: ends.0)
    }
  }

  @Test func isNotClippedAndKnowsItsLimits() {
    let exact = outcomes([3, 3, 3, 3], [0, 0, 0, 0], [2, 2, 2, 2]).recovery
    #expect(exact.estimate == 1.5 && exact.low == 1.5 && exact.high == 1.5)
    #expect(outcomes([1, 1, 1, 1], [-1, -1, -1, -1], [3, 3, 3, 3]).recovery.estimate == 0.5)
    let doubtful = outcomes([1, 1, 1, 1], [0, 0, 0, 0], [5, -4, 3, -3]).recovery
    #expect(doubtful.low == -.infinity && doubtful.high == .infinity)
    let one = outcomes([1], [0], [2]).recovery
    #expect(one.estimate == 0.5 && one.low == -.infinity && one.high == .infinity)
  }

  /// Half the difference between a patch under either rule is free of what both have.
  @Test func counterpartsCancelWhatBothRulesShare() {
    var outcome = outcomes([5], [7], [9])[0]
    outcome.flipped = Outcome.Counterpart(patched: 3, donor: 1)
    #expect(outcome.effect == 1 && outcome.gap == 4)
    outcome.flipped = nil
    #expect(outcome.effect == -2 && outcome.gap == 2)
  }
}
