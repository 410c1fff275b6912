import RuleVectors
import Testing

@Suite struct ConcentrationTests {
  @Test func equalAndSingleShares() {
    #expect(Concentration.participationRatio([2, 2, 2, 2]) == 4)
    #expect(Concentration.participationRatio([0, 0, 5, 0]) == 1)
    #expect(abs(Concentration.gini([2, 2, 2, 2])) < 1e-12)
    #expect(abs(Concentration.gini([0, 0, 5, 0]) - 0.75) < 1e-12)
  }

  @Test func knownValues() {
    #expect(abs(Concentration.gini([1, 2, 3, 4]) - 0.25) < 1e-12)
    #expect(abs(Concentration.participationRatio([1, 2, 3, 4]) - 100.0 / 30) < 1e-12)
  }

  @Test func signsAndScaleChangeNothing() {
    let shares = [0.3, -1.2, 0.05, 2.1, -0.7, 0.9, -0.2, 1.4, -0.4]
    let positive = shares.map(\.magnitude)
    #expect(Concentration.gini(shares) == Concentration.gini(positive))
    let ratio = Concentration.participationRatio(shares)
    #expect(ratio == Concentration.participationRatio(positive))
    #expect(abs(ratio - Concentration.participationRatio(shares.map { $0 * 1e200 })) < 1e-9)
    #expect((1...9).contains(ratio))
    // Signs left in would make these cancel to a ratio of 0.
    #expect(Concentration.participationRatio([1, -1]) == 2)
  }

  @Test func nothingIsUndefined() {
    for shares in [[], [0.0, 0]] {
      #expect(Concentration.gini(shares).isNaN)
      #expect(Concentration.participationRatio(shares).isNaN)
    }
  }
}
