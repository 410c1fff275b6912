import Reports
import TensorCore
import Testing

@Suite struct PairedProportionsTests {
  /// Newcombe 1998, table II, example (a) of method 10: 36 both, 12 and 2, 0 neither of 50 gives 0.20
  /// with 0.0569 to 0.3404.
  @Test func agreesWithThePublishedExample() {
    func pairs(_ both: Int, _ first: Int, _ second: Int, _ neither: Int) -> ([Bool], [Bool]) {
      let a =
        Array(repeating: true, count: both + first)
        + Array(repeating: false, count: second + neither)
      let b =
        Array(repeating: true, count: both) + Array(repeating: false, count: first)
        + Array(repeating: true, count: second) + Array(repeating: false, count: neither)
      return (a, b)
    }
    let (a, b) = pairs(36, 12, 2, 0)
    let interval = PairedProportions.difference(a, b)
    #expect(abs(interval.estimate - 0.2) < 1e-12)
    #expect(abs(interval.low - 0.0569) < 1e-3 && abs(interval.high - 0.3404) < 1e-3)
  }

  @Test func keepsAWidthWhereAllAgree() {
    let same = PairedProportions.difference([true, true, false], [true, true, false])
    #expect(same.estimate == 0 && same.low < -0.1 && same.high > 0.1)
    let none = PairedProportions.difference([], [])
    #expect(none.estimate.isNaN && none.low == -1 && none.high == 1)
  }

  @Test(arguments: [8, 32]) func coversTheDifference(count: Int) {
    var covered = 0
    let runs = 2000
    for run in 0..<runs {
      var random = RandomStream(seed: 5, path: [UInt64(count), UInt64(run)])
      var a: [Bool] = []
      var b: [Bool] = []
      for _ in 0..<count {
        let shared = random.uniform() < 0.4
        a.append(shared || random.uniform() < 0.5)
        b.append(shared || random.uniform() < 0.3)
      }
      let truth = 0.6 * 0.5 - 0.6 * 0.3
      let interval = PairedProportions.difference(a, b)
      if interval.low <= truth, truth <= interval.high { covered += 1 }
    }
    #expect(Double(covered) / Double(runs) > 0.93)
  }
}

@Suite struct BinomialTestTests {
  /// Against sums of Pascal's triangle.
  @Test func tailsAreExact() {
    #expect(BinomialTest.upperTail(successes: 0, trials: 5, chance: 0.5) == 1)
    #expect(abs(BinomialTest.upperTail(successes: 5, trials: 5, chance: 0.5) - 1.0 / 32) < 1e-12)
    #expect(abs(BinomialTest.upperTail(successes: 4, trials: 5, chance: 0.5) - 6.0 / 32) < 1e-12)
    #expect(
      abs(BinomialTest.upperTail(successes: 2, trials: 3, chance: 0.25) - (3 * 0.75 + 0.25) / 16)
        < 1e-12)
    #expect(BinomialTest.upperTail(successes: 6, trials: 5, chance: 0.5) == 0)
  }
}
