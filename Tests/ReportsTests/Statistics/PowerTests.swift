import Testing

@testable import Reports

@Suite struct PowerTests {
  /// Effects in standard deviations and samples, as R's `power.t.test` and G*Power give them.
  @Test(arguments: [(0.2, 199), (0.5, 34), (0.8, 15)]) func textbookNumbers(
    effect: Double, samples: Int
  ) {
    #expect(
      Power.samplesToDecide(mean: 3 * effect, standardDeviation: 3, level: 0.05) == samples)
    #expect(
      Power.samplesToDecide(mean: -effect, standardDeviation: 1, level: 0.05) == samples)
  }

  /// By SciPy's noncentral t distribution.
  @Test(
    arguments: [
      (0.6, 0.05, 24), (0.5, 0.005, 58), (0.5, 0.003125, 63), (3, 0.05, 4), (2, 0.0125, 7),
      (1, 0.001, 23),
    ])
  func strictLevels(effect: Double, level: Double, samples: Int) {
    #expect(
      Power.samplesToDecide(mean: effect, standardDeviation: 1, level: level) == samples)
  }

  @Test func agreesWithSimulation() {
    // The test that is made is by sign flips: it loses little.
    let samples = 24
    let effect = 0.6
    let found = share(of: 1_000) { simulation in
      let values = Population.normal.sample(samples, seed: 31, simulation).map { $0 + effect }
      return PermutationTest.paired(values, seed: simulation).pValue <= 0.05
    }
    let expected = Power.power(effect: effect, samples: samples, level: 0.05)
    #expect(abs(found - expected) < threeErrors(0.8, 1_000) + 0.01, "\(found) \(expected)")
    #expect(Power.samplesToDecide(mean: effect, standardDeviation: 1, level: 0.05) == 24)
  }

  @Test func whatCannotBeTold() {
    func samples(_ mean: Double, _ deviation: Double) -> Int? {
      Power.samplesToDecide(mean: mean, standardDeviation: deviation, level: 0.05)
    }
    #expect(samples(0, 1) == nil && samples(.nan, 1) == nil && samples(1, .nan) == nil)
    #expect(samples(.infinity, 1) == nil && samples(1, .infinity) == nil)
    #expect(samples(1e-4, 1) == nil)
    #expect(samples(1, 0) == 2)
  }
}

@Suite struct CurvatureTests {
  @Test func seesParabolasOnly() {
    for count in [2, 3, 6, 12] {
      let contrast = Curvature.contrast(count)
      #expect(contrast.count == count + 1)
      func applied(_ curve: (Double) -> Double) -> Double {
        contrast.enumerated().reduce(0) {
          $0 + $1.element * curve(Double($1.offset) / Double(count))
        }
      }
      #expect(abs(applied { _ in 1 }) < 1e-12 && abs(applied { 5 - 3 * $0 }) < 1e-12)
      #expect(abs(applied { $0 * $0 } - 1) < 1e-12)
      #expect(applied { $0.squareRoot() } < -0.1)
    }
    // Tables of orthogonal polynomials: 1, −2, 1 and 2, −1, −2, −1, 2.
    let three = Curvature.contrast(2)
    #expect(zip(three, [2, -4, 2]).allSatisfy { abs($0 - $1) < 1e-12 }, "\(three)")
    let five = Curvature.contrast(4).map { $0 * 7 / 8 }
    #expect(zip(five, [2, -1, -2, -1, 2]).allSatisfy { abs($0 - $1) < 1e-12 }, "\(five)")
    #expect(Curvature.contrast(1) == [0, 0] && Curvature.contrast(0) == [0])
  }
}
