import Foundation
import TensorCore
import Testing

@testable import Reports

@Suite struct StudentTTests {
  /// Critical values of printed tables.
  @Test(arguments: [
    (1.0, 12.7062), (2, 4.302653), (4, 2.776445), (19, 2.093024), (120, 1.979930),
    (.infinity, 1.959964),
  ])
  func criticalValues(degrees: Double, value: Double) {
    #expect(abs(StudentT.twoSided(value, degrees: degrees) - 0.05) < 2e-6)
    #expect(abs(StudentT.halfWidth(level: 0.95, degrees: degrees) - value) < 5e-5)
  }

  @Test func edges() {
    #expect(StudentT.twoSided(0, degrees: 3) == 1)
    #expect(StudentT.twoSided(.infinity, degrees: 3) == 0)
    #expect(StudentT.twoSided(-2, degrees: 5) == StudentT.twoSided(2, degrees: 5))
    #expect(StudentT.twoSided(.nan, degrees: 3).isNaN)
    // Beyond what 1 − p could tell apart from 1: normal values of printed tables.
    #expect(abs(StudentT.quantile(twoSided: 2 * 7.6198530e-24, degrees: .infinity) - 10) < 1e-6)
    #expect(StudentT.quantile(twoSided: 0, degrees: 3) == .infinity)
    // One degree of freedom is Cauchy's distribution.
    let cauchy = 1 - 2 * atan(3.0) / .pi
    #expect(abs(StudentT.twoSided(3, degrees: 1) - cauchy) < 1e-12)
  }
}

@Suite struct UncertainValueTests {
  @Test func spreadAlone() {
    let value = UncertainValue(values: [1, 2, 3])
    #expect(value.estimate == 2 && abs(value.variance - 1.0 / 3) < 1e-12)
    // t = 2 ÷ √⅓ = 3.4641 with 2 degrees of freedom.
    #expect(abs(value.pValue - 0.07418) < 1e-4)
    let interval = value.interval()
    #expect(abs(interval.high - (2 + 4.302653 / 3.0.squareRoot())) < 1e-4)
  }

  @Test func welchsTest() {
    // Textbook: means 2 and 6, variances 1 and 4, three each: t = −4 ÷ √(5⁄3), 2.94 degrees.
    let difference = UncertainValue(values: [1, 2, 3]) - UncertainValue(values: [4, 6, 8])
    #expect(difference.estimate == -4)
    let degrees = 25.0 / 9 / (1.0 / 18 + 16.0 / 18)
    let t = 4 / (5.0 / 3).squareRoot()
    #expect(abs(difference.pValue - StudentT.twoSided(t, degrees: degrees)) < 1e-12)
    #expect(difference.pValue > 0.05 && difference.pValue < 0.06)
  }

  @Test func measurementErrorsWiden() {
    let bare = UncertainValue(values: [1, 2, 3])
    // What all runs share is not divided by their number; what each draws anew is in their spread.
    let shared = UncertainValue(values: [1, 2, 3], standardErrors: [0.5, 0.5, 0.5])
    #expect(abs(shared.variance - bare.variance - 0.25) < 1e-12)
    let own = UncertainValue(
      values: [1, 2, 3], standardErrors: [0.5, 0.5, 0.5], origin: .eachRun)
    #expect(own == bare)
    // A single run has its measurement error only, and nothing where that is unknown.
    for origin in [UncertainValue.ErrorOrigin.shared, .eachRun] {
      let single = UncertainValue(values: [5], standardErrors: [2], origin: origin)
      #expect(single.standardError == 2)
      #expect(abs(single.pValue - StudentT.twoSided(2.5, degrees: 19)) < 1e-12)
    }
    let single = UncertainValue(values: [5], standardErrors: [2])
    let unknown = UncertainValue(values: [5], standardErrors: [nil])
    #expect(unknown.pValue.isNaN && unknown.interval().low.isNaN && unknown.estimate == 5)
    #expect((single - unknown).pValue.isNaN)
  }

  /// Half-widths of the spread (t of 2 degrees: 4.302653) and of the measurement (of 19: 2.093024), in
  /// quadrature.
  @Test func eachKindHasItsOwnDegrees() {
    let value = UncertainValue(values: [1, 2, 3], standardErrors: [0.5, 0.5, 0.5])
    let half = (4.302653 * 4.302653 / 3 + 2.093024 * 2.093024 / 4).squareRoot()
    #expect(abs(value.interval().high - 2 - half) < 1e-4)
    // p is what an interval that ends at 0 leaves out, however little that is.
    for shift in [0.0, 5, 50, 5000] {
      let value = UncertainValue(
        values: [1, 2, 3].map { $0 + shift }, standardErrors: [0.5, 0.5, 0.5])
      let p = value.pValue
      #expect(p > UncertainValue(values: [1, 2, 3].map { $0 + shift }).pValue)
      let spread = StudentT.quantile(twoSided: p, degrees: 2)
      let measured = StudentT.quantile(twoSided: p, degrees: 19)
      let half = (spread * spread / 3 + measured * measured / 4).squareRoot()
      #expect(abs(half / (2 + shift) - 1) < 1e-6)
    }
    // An error of measurement never makes an interval narrower, also where runs are nearly alike.
    let alike = UncertainValue(values: [1.99, 2, 2.01])
    let measured = UncertainValue(values: [1.99, 2, 2.01], standardErrors: [0.01, 0.01, 0.01])
    #expect(measured.interval().high > alike.interval().high)
    #expect(UncertainValue(values: [2, 2, 2], standardErrors: [0, 0, 0]).pValue == 0)
  }

  @Test func contrasts() {
    // The slope over 0, 1, 2 has the weights −½, 0, ½: variances ¼ (1 ÷ 3) + ¼ (4 ÷ 3).
    let values = [[1.0, 2, 3], [7, 7.5, 8], [4, 6, 8]].map { UncertainValue(values: $0) }
    let slope = UncertainValue.combination(Array(zip([-0.5, 0, 0.5], values)))
    #expect(slope.estimate == 2 && abs(slope.variance - 5.0 / 12) < 1e-12)
    let degrees = 25.0 / (1.0 / 2 + 16.0 / 2)
    let t = 2 / (5.0 / 12).squareRoot()
    #expect(abs(slope.pValue - StudentT.twoSided(t, degrees: degrees)) < 1e-12)
    let unknown = UncertainValue(values: [5])
    #expect(UncertainValue.combination([(1, values[0]), (0.5, unknown)]).pValue.isNaN)
  }
}

/// How often a test at 5 % rejects what is true, where the errors are known: runs that differ by `runs`,
/// generated images that err by `own`, reference images that err by `reference` in all runs together.
@Suite struct SharedErrorTests {
  struct Errors: CustomTestStringConvertible {
    var runs: Double
    var own: Double
    var reference: Double
    /// Of the reference's errors in the two values that are compared.
    var correlation = 0.0

    var testDescription: String {
      "runs \(runs), own \(own), reference \(reference), \(correlation)"
    }
  }

  private struct Simulation {
    var stream: RandomStream
    let errors: Errors

    mutating func normal() -> Double {
      let radius = (-2 * log(1 - Double(stream.uniform()))).squareRoot()
      return radius * cos(2 * .pi * Double(stream.uniform()))
    }

    /// Three runs of a quantity that is 0, or one, measured with the reference's error given.
    mutating func value(_ count: Int, reference: Double) -> UncertainValue {
      let values = (0..<count).map { _ in
        errors.runs * normal() + errors.own * normal() + errors.reference * reference
      }
      // A jackknife over twentieths estimates the variance of both parts.
      let total = errors.own * errors.own + errors.reference * errors.reference
      let squared = total * (0..<19).reduce(0) { sum, _ in sum + pow(normal(), 2) } / 19
      return UncertainValue(
        values: values, standardErrors: values.map { _ in squared.squareRoot() })
    }

    /// Whether the interval leaves out the true 0.
    mutating func rejects(_ counts: [Int], level: Double) -> Bool {
      let first = normal()
      let second =
        errors.correlation * first
        + (1 - errors.correlation * errors.correlation).squareRoot() * normal()
      var found = value(counts[0], reference: first)
      if counts.count > 1 { found = found - value(counts[1], reference: second) }
      let interval = found.interval(level: level)
      return interval.low > 0 || interval.high < 0
    }
  }

  private func share(_ errors: Errors, _ counts: [Int], level: Double = 0.95) -> Double {
    let trials = 4_000
    let rejected = (0..<trials).count { trial in
      var simulation = Simulation(
        stream: RandomStream(seed: 16, path: [UInt64(trial)]), errors: errors)
      return simulation.rejects(counts, level: level)
    }
    return Double(rejected) / Double(trials)
  }

  /// Divided by the number of runs, a reference that makes half of the error would reject 8 %, one that
  /// makes all of it 24 %.
  @Test(arguments: [
    Errors(runs: 0, own: 0, reference: 1), Errors(runs: 0, own: 0.7, reference: 0.7),
    Errors(runs: 0.5, own: 0.7, reference: 0.7), Errors(runs: 1, own: 0.2, reference: 1),
    Errors(runs: 10, own: 0.7, reference: 0.7),
  ])
  func meansKeepTheirLevel(_ errors: Errors) { #expect(share(errors, [3]) < 0.06) }

  /// Alike, unlike, and opposed as far as the generated images err as much as the reference.
  @Test(arguments: [
    Errors(runs: 0, own: 0, reference: 1), Errors(runs: 0.5, own: 0.7, reference: 0.7),
    Errors(runs: 3, own: 0.7, reference: 0.7),
    Errors(runs: 0.5, own: 0.7, reference: 0.7, correlation: 1),
    Errors(runs: 0, own: 0.7, reference: 0.7, correlation: -1),
    Errors(runs: 1, own: 0.7, reference: 0.7, correlation: -1),
  ])
  func differencesKeepTheirLevel(_ errors: Errors) {
    #expect(share(errors, [3, 3]) < 0.06)
    if errors.runs == 0, errors.correlation >= 0 { #expect(share(errors, [3, 1]) < 0.06) }
  }

  /// Holm asks for small p: with the degrees of both kinds in one sum 4.6 times as many would be wrong.
  @Test func theLevelIsKeptFarOut() {
    #expect(share(Errors(runs: 3, own: 0.7, reference: 0.7), [3], level: 0.999) <= 0.002)
  }
}
