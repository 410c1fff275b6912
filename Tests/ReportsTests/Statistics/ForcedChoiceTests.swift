import Foundation
import TensorCore
import Testing

@testable import Reports

/// Groups of four samples, two of either target.
private struct World {
  let choice: ForcedChoice
  let kernel: [Double]

  /// - Parameters:
  ///   - signal: size of the target's own direction, the same in all groups.
  ///   - shared: size of a direction of the group's own, which is the same in all of its samples; private: size of one that goes
  ///     with the target in this group alone.
  init(
    groups: Int, width: Int = 20, signal: Double, shared: Double = 0, private own: Double = 0,
    seed: UInt64, _ simulation: UInt64
  ) {
    var rows: [[Double]] = []
    var targets: [Double] = []
    for group in 0..<groups {
      let numbers = Population.normal.sample(
        6 * width, seed: seed, simulation, UInt64(group))
      for place in 0..<4 {
        let target = place < 2 ? 1.0 : -1
        targets.append(target)
        var row = (0..<width).map { column -> Double in
          let (common, its) = (numbers[4 * width + column], numbers[5 * width + column])
          return numbers[place * width + column] + shared * common + own * target * its
        }
        row[3] += signal * target
        rows.append(row)
      }
    }
    let all = Array(0..<groups)
    let pairs = all.flatMap { group -> [(positive: Int, negative: Int)] in
      [(4 * group, 4 * group + 2), (4 * group + 1, 4 * group + 3)]
    }
    choice = ForcedChoice(
      targets: targets, groups: targets.indices.map { $0 / 4 }, blocks: all, pairs: pairs,
      folds: (0..<3).map { fold in
        ForcedChoice.Fold(
          training: all.filter { $0 % 3 != fold }, testing: all.filter { $0 % 3 == fold })
      })
    kernel = innerProducts(rows)
  }

  func pValue(_ draws: SequentialMonteCarlo, seed: UInt64) throws -> Double {
    try choice.ridge(training: kernel, testing: [kernel]).test(draws: draws, seed: seed).pValue
  }
}

@Suite struct ForcedChoiceTests {
  private static let draws = SequentialMonteCarlo(least: 99, most: 399, exceedances: 10)

  /// With the sign of whole groups exchanged, the outcome is that of fitting anew.
  @Test func drawsAreRefits() throws {
    let world = World(groups: 9, signal: 0.7, seed: 1, 0)
    let choice = world.choice
    let signs = (0..<9).map { $0 % 2 == 0 ? 1.0 : -1 }
    let turned = ForcedChoice(
      targets: choice.targets.indices.map { choice.targets[$0] * signs[choice.groups[$0]] },
      groups: choice.groups, blocks: choice.blocks,
      pairs: choice.pairs.map {
        signs[choice.groups[$0.positive]] > 0 ? $0 : ($0.negative, $0.positive)
      }, folds: choice.folds)
    let refitted = try turned.ridge(training: world.kernel, testing: [world.kernel]).outcome()
    let drawn = try choice.ridge(training: world.kernel, testing: [world.kernel])
      .choices(0, signs: signs)
    #expect(drawn == refitted.choices)
    #expect(
      drawn != (try choice.ridge(training: world.kernel, testing: [world.kernel]).outcome().choices)
    )
  }

  /// Refitting by hand at the penalty of the least held-out loss.
  @Test func nestedChoiceOfPenaltyIsWithinTheTrainingGroups() throws {
    let world = World(groups: 6, signal: 0.8, seed: 2, 0)
    let choice = world.choice
    let n = choice.targets.count
    let found = try choice.ridge(training: world.kernel, testing: [world.kernel]).outcome()
    for fold in choice.folds {
      let samples = choice.targets.indices.filter { fold.training.contains(choice.groups[$0]) }
      let scale = samples.reduce(0) { $0 + world.kernel[$1 * n + $1] } / Double(samples.count)
      func duals(_ own: [Int], _ penalty: Double) throws -> [Double] {
        try KernelRidge(
          kernel: ForcedChoice.part(world.kernel, n, rows: own, columns: own), count: own.count
        ).duals(own.map { choice.targets[$0] }, penalty: penalty)
      }
      func score(_ sample: Int, _ own: [Int], _ duals: [Double]) -> Double {
        zip(own, duals).reduce(0) { $0 + $1.1 * world.kernel[sample * n + $1.0] }
      }
      let losses = try ForcedChoice.penalties.map { penalty in
        try fold.training.reduce(0.0) { loss, left in
          let rest = samples.filter { choice.groups[$0] != left }
          let fitted = try duals(rest, penalty * scale)
          return loss
            + samples.filter { choice.groups[$0] == left }.reduce(0) {
              let error = choice.targets[$1] - score($1, rest, fitted)
              return $0 + error * error
            }
        }
      }
      let best = try #require(losses.indices.min { losses[$0] < losses[$1] })
      let fitted = try duals(samples, ForcedChoice.penalties[best] * scale)
      for (number, pair) in choice.pairs.enumerated()
      where fold.testing.contains(choice.groups[pair.positive]) {
        let right = score(pair.positive, samples, fitted) > score(pair.negative, samples, fitted)
        #expect(found.choices[number] == (right ? 1 : 0))
      }
    }
  }

  @Test func whatDoesNotDifferIsATie() throws {
    let world = World(groups: 6, signal: 1, seed: 3, 0)
    var kernel = world.kernel
    let n = world.choice.targets.count
    for column in 0..<n { kernel[2 * n + column] = kernel[column] }
    let outcome = try world.choice.ridge(training: world.kernel, testing: [kernel]).outcome()
    #expect(outcome.choices[0] == 0.5 && outcome.choices[1] != 0.5)
    #expect(outcome.shares.count == 6)
  }

  /// Nothing is there, or only what is the same in all samples of a group, or what goes with the
  /// target in one group alone: within groups nothing is independent.
  @Test(arguments: [(0.0, 0.0), (3, 0), (0, 2)])
  func keepsItsLevelWithinGroups(shared: Double, own: Double) throws {
    let simulations = 400
    let rejected = try (0..<UInt64(simulations)).count { simulation in
      try World(
        groups: 9, signal: 0, shared: shared, private: own, seed: 4, simulation
      ).pValue(Self.draws, seed: simulation) <= 0.05
    }
    let share = Double(rejected) / Double(simulations)
    #expect(share <= 0.05 + threeErrors(0.05, simulations), "\(share)")
    #expect(share > 0.01, "\(share)")
  }

  @Test func findsWhatIsThere() throws {
    let found = try (0..<20 as Range<UInt64>).count { simulation in
      try World(groups: 12, signal: 2, shared: 1, seed: 5, simulation)
        .pValue(Self.draws, seed: simulation) <= 0.05
    }
    #expect(found >= 16, "\(found)")
  }

  @Test func logisticFindsItToo() throws {
    let there = World(groups: 15, signal: 1.5, shared: 2, seed: 6, 0)
    #expect(try there.choice.logistic(there.kernel).accuracy.estimate > 0.85)
    let accuracies = try (0..<20 as Range<UInt64>).map { simulation in
      let world = World(groups: 9, signal: 0, shared: 2, seed: 7, simulation)
      return try world.choice.logistic(world.kernel).accuracy.estimate
    }
    #expect(abs(accuracies.reduce(0, +) / 20 - 0.5) < 0.1)
  }
}

@Suite struct RepresentationalSimilarityTests {
  private static let strata = [[0, 1, 2, 3], [4, 5, 6, 7]]

  /// Points with a part that both spaces share.
  private func spaces(_ common: Double, _ simulation: UInt64) -> RepresentationalSimilarity {
    let numbers = Population.normal.sample(8 * 6 * 3, seed: 8, simulation)
    func distances(_ space: Int) -> [Double] {
      let rows = (0..<8).map { i in
        // Strata far apart, in both spaces: that must count for nothing.
        (0..<6).map {
          common * numbers[i * 6 + $0] + numbers[space * 48 + i * 6 + $0] + (i < 4 ? 9 : 0)
        }
      }
      return RepresentationalSimilarity.distances(
        gram: innerProducts(rows), count: 8)
    }
    return RepresentationalSimilarity(
      [(distances(1), distances(2))], strata: Self.strata, conditions: 8)
  }

  @Test func distancesAreOfPoints() {
    let found = RepresentationalSimilarity.distances(gram: [1, 0, 0, 4], count: 2)
    #expect(found == [0, 5, 5, 0])
  }

  @Test func levelAndPower() {
    let draws = SequentialMonteCarlo(least: 99, most: 399, exceedances: 10)
    let level = share(of: 600) { spaces(0, $0).pValue(draws: draws, seed: $0) <= 0.05 }
    #expect(level <= 0.05 + threeErrors(0.05, 600) && level > 0.015, "\(level)")
    let power = share(of: 60) { spaces(3, $0).pValue(draws: draws, seed: $0) <= 0.05 }
    #expect(power > 0.8, "\(power)")
  }
}

@Suite struct JackknifeTests {
  /// Of a mean it is Student's interval.
  @Test func ofAMean() {
    let values = Population.skewed.sample(9, seed: 9, 0)
    let sum = values.reduce(0, +)
    let found = Jackknife.interval(of: sum / 9, leftOut: values.map { (sum - $0) / 8 })
    let expected = MeanInterval.student(values)
    #expect(abs(found.low - expected.low) < 1e-12 && abs(found.high - expected.high) < 1e-12)
    #expect(Jackknife.interval(of: 1, leftOut: [1]).low == -.infinity)
  }
}

@Suite struct BayesianBootstrapTests {
  private func interval(_ values: [Double], _ seed: UInt64) -> Interval {
    BayesianBootstrap.interval(
      of: values.reduce(0, +) / Double(values.count), samples: values.count, within: -9...9,
      seed: seed
    ) { weights in
      zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 } / Double(values.count)
    }
  }

  /// Of a mean of 24 normal values it holds the truth nearly as often as it says.
  @Test func coverage() {
    let held = share(of: 800) { simulation in
      let found = interval(Population.normal.sample(24, seed: 10, simulation), simulation)
      return found.low <= 0 && found.high >= 0
    }
    #expect(held > 0.9 && held < 0.97, "\(held)")
  }

  @Test func bounds() {
    let found = BayesianBootstrap.interval(of: 0.9, samples: 8, within: -1...1, seed: 1) { $0[0] }
    #expect(found.high == 1 && found.low > -1)
    let single = BayesianBootstrap.interval(of: 0.9, samples: 1, within: -1...1, seed: 1) { $0[0] }
    #expect(single.low == -.infinity)
  }
}
