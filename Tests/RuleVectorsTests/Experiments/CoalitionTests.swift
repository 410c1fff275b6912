import TensorCore
import Testing

@testable import RuleVectors

@Suite struct CoalitionTests {
  private func coalitions(_ count: Int, orders: Int, seed: UInt64 = 0) -> [Coalition] {
    var random = RandomStream(seed: seed)
    return Coalition.all(count, orders: orders, random: &random)
  }

  @Test(arguments: 1...9, [2, 4, 6])
  func exactlyTheSetsPromised(count: Int, orders: Int) throws {
    let all = coalitions(count, orders: orders)
    let fixed = all.filter { $0.permutation == nil }.map(\.players)
    // Alone, all but one, all; for few players these coincide.
    var expected = Set((0..<count).map { [$0] })
    for left in 0..<count where count > 2 { expected.insert((0..<count).filter { $0 != left }) }
    expected.insert(Array(0..<count))
    #expect(fixed.count == expected.count && Set(fixed) == expected)
    #expect(all.allSatisfy { $0.players == $0.players.sorted() && !$0.players.isEmpty })

    let drawn = all.filter { $0.permutation != nil }
    guard count > 3 else {
      #expect(drawn.isEmpty)
      return
    }
    #expect(drawn.count == orders * (count - 3))
    for number in 0..<orders {
      let own = drawn.filter { $0.permutation == number }
      let order = try #require(own.first?.order)
      #expect(order.sorted() == Array(0..<count))
      #expect(own.map(\.players) == (2...(count - 2)).map { order.prefix($0).sorted() })
      #expect(own.allSatisfy { $0.order == order })
      // Two orders alone are independent, so that one measures what the other finds.
      if orders > 2, number % 2 == 1 {
        #expect(order == drawn.first { $0.permutation == number - 1 }?.order.reversed())
      }
    }
  }

  @Test func ordersAreDrawnEvenly() {
    // Each of 24 orders of four players in a 24th of the draws, the second of two as the first.
    var counts: [[Int]: Int] = [:]
    let draws = 2_400
    for seed in 0..<UInt64(draws) {
      for coalition in coalitions(4, orders: 2, seed: seed) where coalition.permutation != nil {
        counts[coalition.order, default: 0] += 1
      }
    }
    #expect(counts.count == 24)
    let expected = Double(2 * draws) / 24
    let chiSquare = counts.values.reduce(0.0) {
      $0 + (Double($1) - expected) * (Double($1) - expected) / expected
    }
    // 23 degrees of freedom: above 49.7 in one of a thousand.
    #expect(chiSquare < 49.7, "\(chiSquare)")
  }

  private func members(_ players: String, demonstrations: Int, _ index: Int) throws -> (
    Episode, [[Int]]
  ) {
    let game = try experiment(
      Aggregation.self, "\"donor\": \"clean\", \"players\": \"\(players)\", \"layer\": 0")
    let sampler = EpisodeSampler(task: try Fixtures.read(TinyLaboratory.categorization))
    let episode = try sampler.episode(
      index: index, split: .heldOut, demonstrations: demonstrations, seed: 1)
    var random = RandomStream(seed: UInt64(index))
    return (episode, game.members(of: episode, random: &random))
  }

  @Test(arguments: [4, 5, 7, 8], 0..<6)
  func pairsHoldOneOfEitherLabel(demonstrations: Int, index: Int) throws {
    let (episode, pairs) = try members("pairs", demonstrations: demonstrations, index)
    #expect(pairs.count == demonstrations / 2)
    #expect(pairs.flatMap { $0 }.sorted() == Array(0..<demonstrations))
    #expect(pairs.map { $0[0] } == pairs.map { $0[0] }.sorted())
    for pair in pairs {
      #expect(pair == pair.sorted())
      #expect(Set(pair.map { episode.demonstrations[$0].answer }).count == 2)
    }
    #expect(pairs.count { $0.count == 3 } == demonstrations % 2)
    #expect(pairs.allSatisfy { (2...3).contains($0.count) })
  }

  /// Of three labels, one of each.
  @Test(arguments: [6, 8]) func groupsHoldOneOfEachLabel(demonstrations: Int) throws {
    let game = try experiment(
      Aggregation.self, "\"donor\": \"clean\", \"players\": \"pairs\", \"layer\": 0")
    let episode = try EpisodeSampler(task: FurtherRulesTests.classes(3))
      .episode(index: 1, split: .heldOut, demonstrations: demonstrations, seed: 1)
    var random = RandomStream(seed: 1)
    let groups = game.members(of: episode, random: &random)
    #expect(groups.count == 2)
    #expect(groups.flatMap { $0 }.sorted() == Array(0..<demonstrations))
    for group in groups {
      #expect(Set(group.map { episode.demonstrations[$0].answer }).count == 3)
    }
  }

  @Test func singleDemonstrationsAreTheirOwnPlayers() throws {
    #expect(try members("demonstrations", demonstrations: 5, 0).1 == [[0], [1], [2], [3], [4]])
  }
}
