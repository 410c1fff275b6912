import TensorCore
import Testing

@testable import Reports

@Suite struct HolmTests {
  @Test func textbookExample() {
    // 4 · 0.005, 3 · 0.01, 2 · 0.03, and 0.04 raised to the value before it.
    let adjusted = Holm.adjusted([0.01, 0.04, 0.03, 0.005])
    for (found, expected) in zip(adjusted, [0.03, 0.06, 0.06, 0.02]) {
      #expect(abs(found - expected) < 1e-12)
    }
  }

  @Test func bounds() {
    #expect(Holm.adjusted([]).isEmpty)
    #expect(Holm.adjusted([0.2]) == [0.2])
    #expect(Holm.adjusted([0.6, 0.7, 1]) == [1, 1, 1])
    let some = Holm.adjusted([0.01, .nan, 0.02])
    #expect(some[0] == 0.02 && some[1].isNaN && some[2] == 0.02)
  }
}

@Suite struct WilsonTests {
  /// Successes of ten and the interval (Newcombe 1998's method 3, R's `prop.test` uncorrected).
  @Test(arguments: [(0, 0.0, 0.2775), (1, 0.0179, 0.4042), (5, 0.2366, 0.7634), (10, 0.7225, 1.0)])
  func ofTen(successes: Int, low: Double, high: Double) {
    let interval = Wilson.interval(successes: successes, trials: 10)
    #expect(abs(interval.low - low) < 5e-5 && abs(interval.high - high) < 5e-5)
    #expect(interval.estimate == Double(successes) / 10)
  }

  @Test func newcombesExample() {
    // Newcombe 1998, table I: 81 of 263, score interval 0.2553 to 0.3662.
    let interval = Wilson.interval(successes: 81, trials: 263)
    #expect(abs(interval.low - 0.2553) < 5e-5 && abs(interval.high - 0.3662) < 5e-5)
    #expect(Wilson.interval(successes: 0, trials: 0).high == 1)
  }

  @Test func quantiles() {
    #expect(abs(normalQuantile(0.975) - 1.959963984540054) < 1e-12)
    #expect(abs(normalQuantile(0.995) - 2.5758293035489) < 1e-12)
    #expect(normalQuantile(0.5) < 1e-12)
    #expect(quantile([1, 2, 3, 4], 0.5) == 2.5 && quantile([1, 2, 3, 4, 5], 0.25) == 2)
    #expect(quantile([7], 0.3) == 7 && quantile([], 0.5).isNaN)
  }
}

@Suite struct LinearFitTests {
  @Test func exactLine() throws {
    let fit = try #require(LinearFit(x: [0, 1, 2, 3], y: [1, 3, 5, 7]))
    #expect(fit.slope == 2 && fit.intercept == 1 && fit.rSquared == 1)
  }

  @Test func anscombesFirstQuartet() throws {
    let x: [Double] = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    let fit = try #require(LinearFit(x: x, y: y))
    #expect(abs(fit.slope - 0.5001) < 5e-5 && abs(fit.intercept - 3.0001) < 5e-5)
    #expect(abs(fit.rSquared - 0.6665) < 5e-5)
    let predictions = x.map { fit.intercept + fit.slope * $0 }
    #expect(abs(LinearFit.rSquared(of: predictions, for: y) - fit.rSquared) < 1e-12)
  }

  @Test func withoutVariation() {
    #expect(LinearFit(x: [1, 1], y: [0, 2]) == nil)
    #expect(LinearFit(x: [], y: []) == nil)
    #expect(LinearFit(x: [0, 1], y: [2, 2])?.rSquared.isNaN == true)
    #expect(LinearFit.rSquared(of: [0, 0], for: [1, 3]) == -4)
  }
}
