import Testing

@testable import Reports

@Suite struct PermutationTestTests {
  @Test func exactValuesByHand() {
    // Of eight sign patterns of 1, 2, 3 only +++ reaches 6.
    let greater = PermutationTest.paired([1, 2, 3], alternative: .greater, seed: 1)
    #expect(greater.isExact && greater.pValue == 1.0 / 8 && greater.meanDifference == 2)
    #expect(greater.smallestPValue == 1.0 / 8)
    #expect(PermutationTest.paired([1, 2, 3], seed: 1).pValue == 2.0 / 8)
    #expect(PermutationTest.paired([1, 2, 3], seed: 1).smallestPValue == 2.0 / 8)
    #expect(PermutationTest.paired([1, 2, 3], alternative: .less, seed: 1).pValue == 1)
    #expect(PermutationTest.paired([-1, -2, -3], alternative: .less, seed: 1).pValue == 1.0 / 8)
    // -3 + 1 + 2 = 0: every pattern is at least as far from zero.
    #expect(PermutationTest.paired([-3, 1, 2], seed: 1).pValue == 1)
    #expect(PermutationTest.paired([], seed: 1).pValue == 1)
    #expect(PermutationTest.paired([0, 0], seed: 1).pValue == 1)
    // Zeros have no sign to flip.
    #expect(PermutationTest.paired([1, 0, 2, 0, 3], seed: 1).smallestPValue == 2.0 / 8)
    #expect(PermutationTest.paired([1, .nan], seed: 1).pValue.isNaN)
    #expect(PermutationTest.paired([1, .infinity], seed: 1).pValue.isNaN)
  }

  @Test func roundingDoesNotBreakTies() {
    // 0.1 + 0.2 + 0.3 in any order is one pattern's value.
    let p = PermutationTest.paired([0.1, 0.2, 0.3, -0.6], seed: 1).pValue
    #expect(p == 1)
  }

  @Test func darwinsMaize() {
    // Fisher 1935: Zea mays, cross- minus self-fertilised, eighths of an inch; exact two-sided
    // p = 1726 / 32768.
    let maize: [Double] = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    let result = PermutationTest.paired(maize, seed: 3)
    #expect(result.isExact && result.pValue == 1726.0 / 32768, "\(result.pValue)")
  }

  @Test(arguments: PermutationTest.Alternative.allCases)
  func countsAsOneByOne(alternative: PermutationTest.Alternative) {
    for count in 1...9 {
      let values = Population.normal.sample(count, seed: 41, UInt64(count)).map { $0 + 0.3 }
      let observed = values.reduce(0, +)
      let extreme = (0..<1 << count).count { pattern in
        let sum = values.enumerated().reduce(0) {
          $0 + (pattern >> $1.offset & 1 == 1 ? $1.element : -$1.element)
        }
        return switch alternative {
        case .twoSided: abs(sum) >= abs(observed) - 1e-9
        case .greater: sum >= observed - 1e-9
        case .less: sum <= observed + 1e-9
        }
      }
      let result = PermutationTest.paired(values, alternative: alternative, seed: 1)
      #expect(result.pValue == Double(extreme) / Double(1 << count), "\(count)")
    }
  }

  @Test(arguments: [9, 40]) func drawnPatternsAgreeWithAll(count: Int) {
    let values = Population.normal.sample(count, seed: 42).map { $0 + 0.25 }
    let observed = values.reduce(0, +)
    let flips = SignFlips(values)
    let exact = 2 * flips.share(from: abs(observed) - 1e-9)
    let drawn = flips.pValue(SequentialMonteCarlo(least: 200_000, most: 200_000), seed: 5) {
      abs($0) >= abs(observed) - 1e-9
    }
    #expect(abs(drawn - exact) < threeErrors(exact, 200_000), "\(drawn) \(exact)")
  }

  @Test func largeEffectsAreDrawnToTheFloor() {
    let values = (1...100).map(Double.init)
    let result = PermutationTest.paired(values, seed: 1)
    #expect(!result.isExact && result.pValue == 1.0 / 1_000_001)
    #expect(result.smallestPValue == 1.0 / 1_000_001)
    #expect(PermutationTest.paired((1...40).map(Double.init), seed: 1).pValue == 0x1p-39)
  }

  @Test func aSeedGivesOneValue() {
    let values = Population.normal.sample(80, seed: 43).map { $0 + 0.3 }
    let first = PermutationTest.paired(values, seed: 7)
    #expect(first == PermutationTest.paired(values, seed: 7))
    #expect(first.pValue != PermutationTest.paired(values, seed: 8).pValue)
    // The t test's p, which sign flips approach.
    let error = MeanInterval.student(values)
    let t =
      error.estimate / (error.high - error.estimate)
      * StudentT.halfWidth(level: 0.95, degrees: 79)
    #expect(abs(first.pValue / StudentT.twoSided(t, degrees: 79) - 1) < 0.4)
  }

  @Test func findsADifference() {
    let found = share(of: 100) { simulation in
      let differences = Population.normal.sample(32, seed: 12, simulation).map { $0 + 0.8 }
      return PermutationTest.paired(differences, seed: 1).pValue <= 0.05
    }
    #expect(found > 0.9)
  }
}

@Suite struct IndependentTestTests {
  private let a = [12.6, 11.4, 13.2, 11.2, 9.4, 12.0]
  private let b = [16.4, 14.1, 13.4, 15.4, 14.0, 11.3, 17.2]

  @Test func allSplitsCountedElsewhere() {
    // Of 1716 splits 9 have a Welch t of at most −3.15089, 18 one so far from 0.
    let twoSided = PermutationTest.independent(a, b, seed: 1)
    #expect(twoSided.isExact && twoSided.pValue == 18.0 / 1716)
    #expect(twoSided.smallestPValue == 1.0 / 1716)
    #expect(abs(twoSided.meanDifference - (69.8 / 6 - 101.8 / 7)) < 1e-12)
    #expect(PermutationTest.independent(a, b, alternative: .less, seed: 1).pValue == 9.0 / 1716)
    #expect(
      PermutationTest.independent(a, b, alternative: .greater, seed: 1).pValue == 1708.0 / 1716)
    // A common shift and scale change nothing.
    let moved = PermutationTest.independent(
      a.map { 1e6 + 10 * $0 }, b.map { 1e6 + 10 * $0 }, seed: 1)
    #expect(moved.pValue == 18.0 / 1716)
  }

  @Test func largeSamplesAreDrawn() {
    let a = Population.normal.sample(30, seed: 51, 0).map { $0 + 0.6 }
    let b = Population.normal.sample(40, seed: 51, 1).map { 2 * $0 }
    let result = PermutationTest.independent(a, b, seed: 2)
    #expect(!result.isExact && result == PermutationTest.independent(a, b, seed: 2))
    // Welch's t test: what the permutation approaches.
    let difference = UncertainValue(values: a) - UncertainValue(values: b)
    #expect(abs(result.pValue - difference.pValue) < 0.02, "\(result.pValue)")
  }

  @Test func samplesWithoutVariance() {
    // Two of six splits of 1, 1, 2, 2 keep like with like.
    let apart = PermutationTest.independent([1, 1], [2, 2], seed: 1)
    #expect(apart.pValue == 2.0 / 6 && apart.smallestPValue == 2.0 / 6)
    #expect(PermutationTest.independent([1, 1, 1], [1, 1], seed: 1).pValue == 1)
    let single = PermutationTest.independent([1], [2, 3, 4], seed: 1)
    #expect(single.pValue.isNaN && single.meanDifference == -2)
    #expect(PermutationTest.independent([1, .nan], [2, 3], seed: 1).pValue.isNaN)
  }
}
