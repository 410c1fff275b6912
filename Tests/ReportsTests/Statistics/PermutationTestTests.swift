import Reports
import Testing

@Suite struct PermutationTestTests {
  @Test func exactValuesByHand() {
    // Of eight sign patterns of 1, 2, 3 only +++ reaches 6.
    let greater = PermutationTest.paired([1, 2, 3], alternative: .greater, seed: 1)
    #expect(greater.isExact && greater.pValue == 1.0 / 8 && greater.meanDifference == 2)
    #expect(PermutationTest.paired([1, 2, 3], seed: 1).pValue == 2.0 / 8)
    #expect(PermutationTest.paired([1, 2, 3], alternative: .less, seed: 1).pValue == 1)
    // -3 + 1 + 2 = 0: every pattern is at least as far from zero.
    #expect(PermutationTest.paired([-3, 1, 2], seed: 1).pValue == 1)
    #expect(PermutationTest.paired([], seed: 1).pValue == 1)
    #expect(PermutationTest.paired([0, 0], seed: 1).pValue == 1)
    #expect(PermutationTest.paired([1, .nan], seed: 1).pValue.isNaN)
  }

  @Test func roundingDoesNotBreakTies() {
    // 0.1 + 0.2 + 0.3 in any order is one pattern's value.
    let p = PermutationTest.paired([0.1, 0.2, 0.3, -0.6], seed: 1).pValue
    #expect(p == 1)
  }

  @Test func darwinsMaize() {
    // Fisher 1935: Zea mays, cross- minus self-fertilised, eighths of an inch; exact two-sided
    // p = 1726 / 32768 = 0.0527. Fifteen pairs are beyond enumeration here.
    let maize: [Double] = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    let result = PermutationTest.paired(maize, permutations: 200_000, seed: 3)
    #expect(!result.isExact)
    #expect(abs(result.pValue - 1726.0 / 32768) < 0.002, "\(result.pValue)")
    #expect(result == PermutationTest.paired(maize, permutations: 200_000, seed: 3))
  }

  @Test func monteCarloIsNeverZero() {
    let p = PermutationTest.paired((1...40).map(Double.init), permutations: 999, seed: 1).pValue
    #expect(p == 1.0 / 1000)
  }

  @Test(arguments: [10, 24], PermutationTest.Alternative.allCases)
  func keepsItsLevel(count: Int, alternative: PermutationTest.Alternative) {
    let simulations = 600
    let rejected = (0..<simulations).count { simulation in
      let differences = normals(count, seed: 11, UInt64(simulation))
      return PermutationTest.paired(
        differences, alternative: alternative, permutations: 399, seed: UInt64(simulation)
      ).pValue <= 0.05
    }
    let share = Double(rejected) / Double(simulations)
    // Four standard deviations of 600 tosses at 0.05.
    #expect(abs(share - 0.05) < 0.036, "\(share)")
  }

  @Test func findsADifference() {
    let found = (0..<100).count { simulation in
      let differences = normals(32, seed: 12, UInt64(simulation)).map { $0 + 0.8 }
      return PermutationTest.paired(differences, permutations: 999, seed: 1).pValue <= 0.05
    }
    #expect(found > 90)
  }
}
