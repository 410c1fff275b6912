import TensorCore
import Testing

@testable import RuleVectors

/// Rows of one episode whose patches bring what a function says.
func gameRows(
  _ players: Int, orders: Int = 4, seed: UInt64 = 0, direction: Direction = .donorIntoRecipient,
  donor: Double = 8, recipient: Double = -4, _ value: ([Int]) -> Double
) -> [AggregationRow] {
  var random = RandomStream(seed: seed, path: [1])
  let forward = direction == .donorIntoRecipient
  return Coalition.all(players, orders: orders, random: &random).map { coalition in
    let change = value(coalition.players)
    return AggregationRow(
      donor: .clean, direction: direction, layer: 1, coalition: coalition,
      slots: coalition.players,
      outcome: Outcome(
        patched: RowFixtures.measurement(forward ? recipient + change : donor - change),
        donor: Float(donor), recipient: Float(recipient)))
  }
}

@Suite struct GameTests {
  /// Shapley's formula over all sets: Σ |S|! (n − |S| − 1)! / n! · (v(S ∪ i) − v(S)).
  private func shapley(_ n: Int, _ value: ([Int]) -> Double) -> [Double] {
    func factorial(_ k: Int) -> Double { (1...max(k, 1)).reduce(1) { $0 * Double($1) } }
    return (0..<n).map { player in
      (0..<(1 << n)).filter { $0 & (1 << player) == 0 }.reduce(0.0) { sum, bits in
        let set = (0..<n).filter { bits & (1 << $0) != 0 }
        let weight = factorial(set.count) * factorial(n - set.count - 1) / factorial(n)
        return sum + weight * (value((set + [player]).sorted()) - (set.isEmpty ? 0 : value(set)))
      }
    }
  }

  private func expectClose(
    _ a: [Double], _ b: [Double], within tolerance: Double = 1e-6,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance }, "\(a), not \(b)",
      sourceLocation: sourceLocation)
  }

  @Test func exactForUpToThreePlayers() throws {
    let glove = { (set: [Int]) in set.contains(0) && set.count > 1 ? 1.0 : 0 }
    for (players, value, expected) in [
      (2, { $0.count == 2 ? 1 : 0 }, [0.5, 0.5]),
      (2, { $0.contains(1) ? 3 : 0 }, [0, 3]),
      // Unanimity of all three, and of the first two.
      (3, { $0.count == 3 ? 1 : 0 }, [1.0 / 3, 1.0 / 3, 1.0 / 3]),
      (3, { $0.starts(with: [0, 1]) ? 1 : 0 }, [0.5, 0.5, 0]),
      // Two of three decide.
      (3, { $0.count >= 2 ? 1 : 0 }, [1.0 / 3, 1.0 / 3, 1.0 / 3]),
      // One left glove and two right ones.
      (3, glove, [2.0 / 3, 1.0 / 6, 1.0 / 6]),
    ] as [(Int, ([Int]) -> Double, [Double])] {
      let game = try #require(Game(gameRows(players, value)))
      expectClose(game.shapley, expected)
      expectClose(shapley(players, value), expected)
      #expect(game.halves == nil && game.samplingError == 0)
      #expect(abs(game.bestPlayer - (expected.max() ?? 0)) < 1e-6)
      #expect(abs(game.sumOfSquares - expected.reduce(0) { $0 + $1 * $1 }) < 1e-6)
    }
  }

  @Test(arguments: 2...9, Direction.allCases)
  func additiveGamesAreExactByAnyOrders(players: Int, direction: Direction) throws {
    let shares = (0..<players).map { Double($0 * $0) / 4 - 1 }
    let game = try #require(
      Game(
        gameRows(players, orders: 2, direction: direction) { $0.reduce(0) { $0 + shares[$1] } }))
    #expect(game.players == players && game.span == 12)
    let joint = shares.reduce(0, +)
    #expect(game.joint == joint)
    for values in [game.shapley, game.alone, game.lost] { expectClose(values, shares) }
    #expect(game.doses.count == players + 1 && game.doses[0] == 0)
    #expect(abs(game.doses[1] - joint / Double(players)) < 1e-6)
    #expect(abs(game.doses[players - 1] - joint * Double(players - 1) / Double(players)) < 1e-6)
    #expect(abs(game.doses[players] - joint) < 1e-6)
    #expect(game.samplingError < 1e-6)
    #expect(abs(game.bestPlayer - (shares.max() ?? 0)) < 1e-6)
    #expect(abs(game.sumOfSquares - shares.reduce(0) { $0 + $1 * $1 }) < 1e-5)
  }

  /// Means over many draws of orders.
  private func means(
    _ players: Int, orders: Int, draws: Int = 1_500, _ value: ([Int]) -> Double,
    of quantity: (Game) -> Double
  ) throws -> (mean: Double, error: Double) {
    let values = try (0..<UInt64(draws)).map { seed in
      let game = try #require(Game(gameRows(players, orders: orders, seed: seed, value)))
      #expect(abs(game.shapley.reduce(0, +) - game.joint) < 1e-5)
      return quantity(game)
    }
    let mean = values.reduce(0, +) / Double(draws)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / Double(draws - 1) / Double(draws)).squareRoot())
  }

  @Test(arguments: [2, 4, 6])
  func sampledOrdersAreUnbiased(orders: Int) throws {
    // Two left gloves and four right ones.
    let glove = { (set: [Int]) in Double(min(set.count { $0 < 2 }, set.count { $0 >= 2 })) }
    let expected = shapley(6, glove)
    #expect(expected[0] > expected[2])
    for player in [0, 1, 2, 5] {
      let (mean, error) = try means(6, orders: orders, draws: 600, glove) { $0.shapley[player] }
      #expect(error > 0 && abs(mean - expected[player]) < 4 * error, "\(mean) ± \(error)")
    }
  }

  /// Three players of six together bring one: everybody's value is a third, and whatever makes one
  /// look better than another is noise.
  private static let triples = { @Sendable (set: [Int]) -> Double in
    (set.starts(with: [0, 1, 2]) ? 1 : 0) + (set.suffix(3) == [3, 4, 5] ? 1 : 0)
  }

  @Test(arguments: [2, 4, 6, 8])
  func noiseMakesNobodyACarrier(orders: Int) throws {
    #expect(shapley(6, Self.triples).allSatisfy { abs($0 - 1.0 / 3) < 1e-12 })
    let best = try means(6, orders: orders, Self.triples, of: \.bestPlayer)
    #expect(abs(best.mean - 1.0 / 3) < 4 * best.error, "\(best)")
    let squares = try means(6, orders: orders, Self.triples, of: \.sumOfSquares)
    #expect(abs(squares.mean - 6.0 / 9) < 4 * squares.error, "\(squares)")
    // What one would have without halves.
    let naive = try means(6, orders: orders, Self.triples) { $0.shapley.max() ?? 0 }
    #expect(naive.mean > 1.0 / 3 + 10 * naive.error, "\(naive)")
    let naiveSquares = try means(6, orders: orders, Self.triples) { game in
      game.shapley.reduce(0) { $0 + $1 * $1 }
    }
    #expect(naiveSquares.mean > 6.0 / 9 + 10 * naiveSquares.error, "\(naiveSquares)")
  }

  /// The standard error is that of the estimate about its expectation.
  @Test(arguments: [2, 4, 8]) func samplingErrorIsTheSpread(orders: Int) throws {
    let squared = try means(6, orders: orders, Self.triples) {
      ($0.shapley[0] - 1.0 / 3) * ($0.shapley[0] - 1.0 / 3)
    }
    let told = try means(6, orders: orders, Self.triples) { $0.samplingError * $0.samplingError }
    let error = (squared.error * squared.error + told.error * told.error).squareRoot()
    #expect(abs(squared.mean - told.mean) < 4 * error, "\(squared) \(told)")
  }

  @Test func dosesAreMeansOverSets() throws {
    // What k of n bring depends on k only.
    for players in 2...8 {
      let game = try #require(Game(gameRows(players) { Double($0.count * $0.count) / 64 }))
      expectClose(game.doses, (0...players).map { Double($0 * $0) / 64 })
    }
  }

  @Test func gamesWithoutAllTheirSetsAreNone() {
    for players in 2...6 {
      let rows = gameRows(players) { Double($0.count) }
      #expect(Game(rows) != nil && Game(rows.shuffled()) != nil)
      for index in rows.indices {
        var some = rows
        let gone = some.remove(at: index)
        let coalition = gone.coalition
        // Another order may hold the same set, and an order that is gone whole is not missed.
        guard coalition.players.count < players,
          !some.contains(where: { $0.coalition.players == coalition.players }),
          coalition.permutation == nil
            || some.contains(where: { $0.coalition.permutation == coalition.permutation })
        else { continue }
        #expect(Game(some) == nil, "\(players): \(gone.coalition)")
      }
    }
    #expect(Game([]) == nil)
    #expect(Game(gameRows(1) { _ in 1 }) == nil)
  }
}
