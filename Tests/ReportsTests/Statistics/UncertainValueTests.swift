import Foundation
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
    // One degree of freedom is Cauchy's distribution.
    let cauchy = 1 - 2 * atan(3.0) / .pi
    #expect(abs(StudentT.twoSided(3, degrees: 1) - cauchy) < 1e-12)
  }
}

@Suite struct UncertainValueTests {
  @Test func spreadAlone() {
    let value = UncertainValue(values: [1, 2, 3])
    #expect(value.estimate == 2 && abs(value.variance - 1.0 / 3) < 1e-12)
    #expect(abs(value.degrees - 2) < 1e-12)
    // t = 2 ÷ √⅓ = 3.4641 with 2 degrees of freedom.
    #expect(abs(value.pValue - 0.07418) < 1e-4)
    let interval = value.interval()
    #expect(abs(interval.high - (2 + 4.302653 / 3.0.squareRoot())) < 1e-4)
  }

  @Test func welchsTest() {
    // Textbook: means 2 and 6, variances 1 and 4, three each: t = −4 ÷ √(5⁄3), 2.94 degrees.
    let difference = UncertainValue(values: [1, 2, 3]) - UncertainValue(values: [4, 6, 8])
    #expect(difference.estimate == -4)
    #expect(abs(difference.degrees - 25.0 / 9 / (1.0 / 18 + 16.0 / 18)) < 1e-9)
    #expect(difference.pValue > 0.05 && difference.pValue < 0.06)
  }

  @Test func measurementErrorsWiden() {
    let bare = UncertainValue(values: [1, 2, 3])
    let measured = UncertainValue(values: [1, 2, 3], standardErrors: [0.5, 0.5, 0.5])
    #expect(abs(measured.variance - bare.variance - 0.25 / 3) < 1e-12)
    // A single run has its measurement error only, and nothing where that is unknown.
    let single = UncertainValue(values: [5], standardErrors: [2])
    #expect(single.standardError == 2 && single.degrees == 19)
    let unknown = UncertainValue(values: [5], standardErrors: [nil])
    #expect(unknown.pValue.isNaN && unknown.interval().low.isNaN && unknown.estimate == 5)
    #expect((single - unknown).pValue.isNaN)
  }

  @Test func slopes() {
    #expect(LinearFit.slopePValue(x: [0, 1], y: [0, 1]).isNaN)
    #expect(LinearFit.slopePValue(x: [0, 1, 2], y: [0, 1, 2]) == 0)
    // Anscombe's first quartet: p = 0.00217.
    let x: [Double] = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    let y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    #expect(abs(LinearFit.slopePValue(x: x, y: y) - 0.00217) < 5e-6)
  }
}
