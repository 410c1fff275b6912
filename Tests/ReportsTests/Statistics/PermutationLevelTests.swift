import TensorCore
import Testing

@testable import Reports

/// How often tests reject at 5 % where their hypothesis holds.
@Suite struct PermutationLevelTests {
  static let sizes = [1, 2, 3, 6, 8, 16, 32]

  @Test(arguments: sizes, [Population.normal, .heavyTailed])
  func pairedKeepsItsLevel(count: Int, population: Population) {
    let simulations = count > 16 ? 400 : 2_000
    let rejected = share(of: simulations) { simulation in
      PermutationTest.paired(population.sample(count, seed: 1, simulation), seed: simulation)
        .pValue <= 0.05
    }
    #expect(rejected <= 0.05 + threeErrors(0.05, simulations), "\(rejected)")
    // Five differences have no p below 1/16; with eight the level is nearly used up.
    #expect(count < 6 ? rejected == 0 : rejected > 0.025, "\(rejected)")
  }

  /// Skewed differences are not symmetric about their mean 0, and the level is only approached. The
  /// excess is largest about n = 8.
  @Test(arguments: sizes) func pairedBySkewedDifferences(count: Int) {
    let simulations = count > 16 ? 400 : 2_000
    let rejected = share(of: simulations) { simulation in
      PermutationTest.paired(Population.skewed.sample(count, seed: 2, simulation), seed: simulation)
        .pValue <= 0.05
    }
    #expect(rejected <= 0.10, "\(rejected)")
  }

  @Test(arguments: PermutationTest.Alternative.allCases)
  func pairedByDrawnPatternsKeepsItsLevel(alternative: PermutationTest.Alternative) {
    let draws = SequentialMonteCarlo(least: 199, most: 1_999, exceedances: 20)
    let rejected = share(of: 2_000) { simulation in
      PermutationTest.paired(
        Population.normal.sample(48, seed: 3, simulation), alternative: alternative, draws: draws,
        seed: simulation
      ).pValue <= 0.05
    }
    #expect(abs(rejected - 0.05) < threeErrors(0.05, 2_000), "\(rejected)")
  }

  @Test(arguments: [(2, 2), (3, 3), (2, 6), (6, 6), (8, 3), (8, 8), (16, 32)], Population.allCases)
  func independentKeepsItsLevelWhereSamplesAreAlike(sizes: (Int, Int), population: Population) {
    let draws = SequentialMonteCarlo(least: 199, most: 1_999, exceedances: 20)
    let simulations = sizes.0 == 8 && sizes.1 == 8 ? 150 : 1_000
    let rejected = share(of: simulations) { simulation in
      PermutationTest.independent(
        population.sample(sizes.0, seed: 4, simulation, 0),
        population.sample(sizes.1, seed: 4, simulation, 1), draws: draws, seed: simulation
      ).pValue <= 0.05
    }
    #expect(rejected <= 0.05 + threeErrors(0.05, simulations), "\(rejected)")
    #expect(sizes.0 + sizes.1 < 12 || rejected > 0.015, "\(rejected)")
  }

  /// Where the smaller sample varies four times as much the level is only approached: three such
  /// values against six are found different in one case of eight.
  @Test(arguments: [(3, 6), (6, 6), (4, 12), (16, 32)])
  func independentNearlyKeepsItsLevelWhereVariancesDiffer(sizes: (Int, Int)) {
    let draws = SequentialMonteCarlo(least: 199, most: 1_999, exceedances: 20)
    let rejected = share(of: 1_000) { simulation in
      PermutationTest.independent(
        Population.normal.sample(sizes.0, seed: 5, simulation, 0).map { 4 * $0 },
        Population.normal.sample(sizes.1, seed: 5, simulation, 1), draws: draws, seed: simulation
      ).pValue <= 0.05
    }
    #expect(rejected <= (sizes.0 < 16 ? 0.15 : 0.075), "\(rejected)")
  }

  @Test(arguments: sizes) func curvatureOfStraightDosesIsFoundByChanceOnly(count: Int) {
    let contrast = Curvature.contrast(6)
    let simulations = count > 16 ? 400 : 2_000
    let rejected = share(of: simulations) { simulation in
      let bends = (0..<UInt64(count)).map { episode in
        // Slopes of their own, and errors of each dose.
        let noise = Population.normal.sample(8, seed: 7, simulation, episode)
        return contrast.enumerated().reduce(0) { sum, dose in
          sum + dose.element * ((3 + noise[7]) * Double(dose.offset) / 6 + noise[dose.offset])
        }
      }
      return PermutationTest.paired(bends, seed: simulation).pValue <= 0.05
    }
    #expect(rejected <= 0.05 + threeErrors(0.05, simulations), "\(rejected)")
  }

  /// However the true chance of an exceedance is distributed under the hypothesis, p stands above α
  /// in a share 1 − α of the cases: with a uniform chance p is as large as it may be.
  @Test(arguments: [0.012, 0.02, 0.05, 0.1, 0.2, 0.5])
  func sequentialDrawsKeepEveryLevel(level: Double) {
    let draws = SequentialMonteCarlo(least: 99, most: 999, exceedances: 10)
    let simulations = 20_000
    let rejected = share(of: simulations) { simulation in
      var random = RandomStream(seed: 8, path: [simulation])
      let chance = Double(random.uniform())
      return draws.pValue { Double(random.uniform()) < chance } <= level
    }
    #expect(rejected <= level + threeErrors(level, simulations), "\(rejected)")
    #expect(rejected >= 0.8 * level, "\(rejected)")
  }

  @Test func benjaminiHochbergKeepsItsShareOfFalseFindings() {
    let (simulations, tests, real) = (4_000, 20, 6)
    var falseShare = 0.0
    var found = 0
    for simulation in 0..<UInt64(simulations) {
      let values = Population.normal.sample(tests, seed: 9, simulation).enumerated().map {
        StudentT.twoSided($0.element + ($0.offset < real ? 3 : 0), degrees: .infinity)
      }
      let rejected = BenjaminiHochberg.adjusted(values).enumerated()
        .filter { $0.element <= 0.05 }.map(\.offset)
      found += rejected.filter { $0 < real }.count
      if !rejected.isEmpty {
        falseShare += Double(rejected.filter { $0 >= real }.count) / Double(rejected.count)
      }
    }
    falseShare /= Double(simulations)
    // For independent tests it is exactly 14 / 20 of the level.
    #expect(abs(falseShare - 0.05 * 14 / 20) < 0.007, "\(falseShare)")
    #expect(found > simulations * real / 2)
  }
}
