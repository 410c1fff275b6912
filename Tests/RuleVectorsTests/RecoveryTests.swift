import Reports
import Testing

@testable import RuleVectors

@Suite struct RecoveryTests {
  @Test func isNotClippedAndKnowsItsLimits() {
    let bootstrap = Bootstrap(samples: 4, resamples: 200, seed: 1)
    let exact = bootstrap.recovery(
      patched: [3, 3, 3, 3], recipient: [0, 0, 0, 0], donor: [2, 2, 2, 2])
    #expect(exact.estimate == 1.5 && exact.low == 1.5 && exact.high == 1.5)
    let shifted = bootstrap.recovery(
      patched: [1, 1, 1, 1], recipient: [-1, -1, -1, -1], donor: [3, 3, 3, 3])
    #expect(shifted.estimate == 0.5)
    let doubtful = bootstrap.recovery(
      patched: [1, 1, 1, 1], recipient: [0, 0, 0, 0], donor: [5, -4, 3, -3])
    #expect(doubtful.low == -.infinity && doubtful.high == .infinity)
  }
}
