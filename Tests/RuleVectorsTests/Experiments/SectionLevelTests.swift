import Reports
import TensorCore
import Testing

@testable import RuleVectors

/// How often the sentences of sections are decided where what they say holds only just, and where it
/// clearly holds.
@Suite struct SectionLevelTests {
  @Test(arguments: Level.sizes) func answersAgainstLastPosition(count: Int) throws {
    // Both recover the same share on average, with noise and gaps of their own.
    let rejected = try Level.decided(count, "answers-over-last") { simulation in
      let gaps = normals(count, 1, simulation).map { 8 + 2 * $0 }
      return try SectionFixtures.sweep(
        [PositionGroup.answers, .last].enumerated().map { number, group in
          let noise = normals(count, 2, simulation, UInt64(number))
          return (group, zip(gaps, noise).map { (0.5 * $0 + 2 * $1, $0) })
        })
    }
    Level.expect(count, rejected)
  }

  @Test(arguments: Level.sizes, Donor.allCases) func answersThatCarryNothing(
    count: Int, donor: Donor
  )
    throws
  {
    let name = donor == .clean ? "answers-carry-rule" : "more-than-label-copy"
    let rejected = try Level.decided(count, name) { simulation in
      let noise = normals(count, 3, simulation)
      return try SectionFixtures.sweep(donor: donor, [(.answers, noise.map { ($0, 8) })])
    }
    Level.expect(count, rejected)
  }

  /// The vector brings exactly the margin of what demonstrations bring, on average. The layer is
  /// chosen on other episodes, by their noise.
  @Test(arguments: Level.sizes) func vectorAtTheMargin(count: Int) throws {
    for name in ["little", "control.known"] {
      let rejected = try Level.decided(count, name) { simulation in
        func draws(_ stream: UInt64) -> [(gap: Double, effects: [Double])] {
          let gaps = normals(count, 4, stream, simulation).map { 8 + 2 * $0 }
          let noise = normals(2 * count, 5, stream, simulation)
          return gaps.enumerated().map { episode, gap in
            (gap, (0..<2).map { 0.25 * gap + 2 * noise[2 * episode + $0] })
          }
        }
        let development = normals(4, 6, simulation)
        return try SectionFixtures.vector(
          own: draws(0), control: draws(1),
          development: [Array(development[..<2]), Array(development[2...])])
      }
      Level.expect(count, rejected)
    }
  }

  /// Here and there the vector brings half of what demonstrations bring; these bring 4 logits here
  /// and 10 there.
  @Test(arguments: [3, 6, 8, 32]) func vectorHereAndThere(count: Int) throws {
    let rejected = try Level.decided(count, "less-than-control") { simulation in
      func draws(_ stream: UInt64, _ mean: Double) -> [(gap: Double, effects: [Double])] {
        let gaps = normals(count, 7, stream, simulation).map { mean * (1 + $0 / 5) }
        let noise = normals(count, 8, stream, simulation)
        return zip(gaps, noise).map { ($0, [0.5 * $0 + mean / 5 * $1]) }
      }
      return try SectionFixtures.vector(own: draws(0, 4), control: draws(1, 10))
    }
    Level.expect(count, rejected)
  }

  /// Additive games with noise in every set: the curve bends by chance only.
  @Test(arguments: Level.sizes, [4, 6]) func additiveGames(count: Int, players: Int) throws {
    let rejected = try Level.decided(count, "saturation") { simulation in
      let slopes = normals(count * players, 9, simulation)
      return try SectionFixtures.aggregation(players: players, episodes: count) { episode, set in
        let noise = normals(
          1, 10, simulation, UInt64(episode), set.reduce(0) { $0 | 1 << UInt64($1) })
        return set.reduce(noise[0]) { $0 + 2 + slopes[episode * players + $1] }
      }
    }
    Level.expect(count, rejected)
  }

  /// In one half of the episodes all share alike, in the other so few that both are as far from four equal shares.
  @Test(arguments: Level.sizes, [6, 8])
  func fourEqualShares(count: Int, players: Int) throws {
    let third = 1.0 / 3
    let few = players == 6 ? [third, third, third, 0, 0, 0] : [0.5, 0.25, 0.25, 0, 0, 0, 0, 0]
    let rejected = try Level.decided(count, "no-single-carrier") { simulation in
      let noise = normals(count, 11, simulation)
      return try SectionFixtures.aggregation(players: few.count, episodes: count) { episode, set in
        12 * set.reduce(0) { $0 + (noise[episode] > 0 ? 1 / Double(few.count) : few[$1]) }
      }
    }
    Level.expect(count, rejected)
  }

  /// One player brings half of what all bring, and noise hides which: that is not taken for a spread.
  @Test(arguments: Level.sizes) func aCarrierOfHalf(count: Int) throws {
    var supported = 0
    for simulation in 0..<UInt64(100) {
      let section = try SectionFixtures.aggregation(
        players: 8, orders: 2, episodes: count
      ) { episode, set in
        let noise = normals(
          1, 11, simulation, UInt64(episode), set.reduce(0) { $0 | 1 << UInt64($1) })
        return set.reduce(set.count == 8 ? 0 : noise[0]) { $0 + ($1 == episode % 8 ? 7 : 1) }
      }
      if let claim = section.claim("no-single-carrier"), claim.pValue <= 0.05, claim.difference > 0
      {
        supported += 1
      }
    }
    #expect(supported <= 10, "\(supported) at \(count)")
  }

  /// Nobody brings anything alone, and nothing is lost without one.
  @Test(arguments: Level.sizes) func playersThatBringNothing(count: Int) throws {
    for (direction, name) in [
      (Direction.donorIntoRecipient, "each-contributes"), (.recipientIntoDonor, "each-necessary"),
      (.recipientIntoDonor, "answers-necessary"),
    ] {
      let rejected = try Level.decided(count, name) { simulation in
        try SectionFixtures.aggregation(
          players: 4, direction: direction, orders: 2, episodes: count
        ) { episode, set in
          normals(1, 12, simulation, UInt64(episode), set.reduce(0) { $0 | 1 << UInt64($1) })[0]
        }
      }
      Level.expect(count, rejected)
    }
  }

  /// Equal shares of half of the players: a participation ratio of exactly half.
  @Test(arguments: Level.sizes) func halfOfThePlayersCarry(count: Int) throws {
    let rejected = try Level.decided(count, "spread") { simulation in
      let tilt = normals(count, 13, simulation)
      return try SectionFixtures.aggregation(players: 6, orders: 2, episodes: count) {
        episode, set in
        // Three carry 1 each. Half of the episodes are spread more and half of them less, so that
        // Σ² joint − n/2 Σφ² is symmetric about 0: with shares 1, 1, 1, x it is 6 x − 2 x².
        let x = (3 - (9 - 2 * min(4, max(-4, tilt[episode]))).squareRoot()) / 2
        return Double(set.filter { $0 < 3 }.count) + (set.contains(3) ? x : 0)
      }
    }
    Level.expect(count, rejected)
  }

  /// What is clearly so is found with the episodes of a default run, and most of it with eight.
  @Test func clearEffectsAreFound() throws {
    func verdict(_ section: Section, _ name: String) -> Claim.Verdict? {
      Claim.adjusted(section.claims).first { $0.name.hasPrefix("p.\(name)") }?.verdict
    }
    for count in [12, 32] {
      let noise = normals(count, 14)
      let sweep = try SectionFixtures.sweep([
        (.answers, noise.map { (7 + $0, 8) }), (.last, noise.map { (0.5 * $0, 8) }),
      ])
      #expect(verdict(sweep, "answers-carry-rule") == .supported)
      #expect(verdict(sweep, "answers-over-last") == .supported)
      let other = try SectionFixtures.sweep([
        (.answers, noise.map { (0.5 * $0, 8) }), (.last, noise.map { (7 + $0, 8) }),
      ])
      #expect(verdict(other, "answers-over-last") == .contradicted)

      let little = try SectionFixtures.vector(
        own: noise.map { (8, [0.3 * $0]) }, control: noise.map { (8, [7 + $0]) })
      #expect(verdict(little, "little") == .supported)
      #expect(verdict(little, "control.known") == .supported)
      #expect(verdict(little, "less-than-control.known") == .supported)
      #expect(little.claim("little")?.paperClaim == 1)
      let much = try SectionFixtures.vector(
        own: noise.map { (8, [7 + $0]) }, control: noise.map { (8, [7 + $0]) })
      #expect(verdict(much, "little") == .contradicted)
      #expect(verdict(much, "less-than-control.known") == .undecided)
      // Where no control works, absence says nothing of the paper's claim.
      let blind = try SectionFixtures.vector(
        own: noise.map { (8, [0.3 * $0]) }, control: noise.map { (8, [0.3 * $0]) })
      #expect(blind.claim("little")?.paperClaim == nil)
      #expect(blind.claim("little")?.evidence.contains("No positive control") == true)

      let additive = try SectionFixtures.aggregation(players: 6, episodes: count) { episode, set in
        Double(set.count) * (2 + noise[episode] / 4)
      }
      for name in ["each-contributes", "no-single-carrier", "spread"] {
        #expect(verdict(additive, name) == .supported)
      }
      #expect(verdict(additive, "saturation") == .undecided)
      let carrier = try SectionFixtures.aggregation(players: 6, episodes: count) { episode, set in
        set.contains(1) ? 8 + noise[episode] : 0
      }
      #expect(verdict(carrier, "no-single-carrier") == .contradicted)
      #expect(verdict(carrier, "spread") == .contradicted)
      // The first bring more than the last, or less.
      for (power, expected) in [(0.5, Claim.Verdict.supported), (2, .contradicted)] {
        let bent = try SectionFixtures.aggregation(players: 6, episodes: count) { episode, set in
          (8 + noise[episode])
            * (power < 1 ? Double(set.count).squareRoot() : Double(set.count * set.count))
        }
        #expect(verdict(bent, "saturation") == expected)
      }
      let necessary = try SectionFixtures.aggregation(
        players: 6, direction: .recipientIntoDonor, episodes: count
      ) { episode, set in Double(set.count) * (2 + noise[episode] / 4) }
      for name in ["answers-necessary", "each-necessary"] {
        #expect(verdict(necessary, name) == .supported)
      }
    }
  }

  /// Ratios of normal numbers that vary together are covered as often as they should be.
  @Test(arguments: [2, 3, 8, 32]) func recoveryIsCovered(count: Int) {
    let simulations = 4_000
    var covered = 0
    for simulation in 0..<UInt64(simulations) {
      let gaps = normals(count, 15, simulation).map { 6 + 2 * $0 }
      let noise = normals(count, 16, simulation)
      let interval = zip(gaps, noise).map {
        RowFixtures.outcome(effect: 0.7 * $0 + $1, gap: $0, recipient: 0)
      }.recovery
      if interval.low <= 0.7, 0.7 <= interval.high { covered += 1 }
    }
    let share = Double(covered) / Double(simulations)
    #expect(share >= 0.95 - threeErrors(0.95, simulations), "\(share)")
    #expect(count < 8 || share <= 0.95 + threeErrors(0.95, simulations), "\(share)")
  }

  /// Four are never more than four: that is no finding.
  @Test func fewPlayersAreNotAskedForACarrier() throws {
    for (players, isAsked) in [(2, false), (4, false), (5, true), (8, true)] {
      let section = try SectionFixtures.aggregation(players: players, episodes: 8) { episode, set in
        Double(set.count) + Double(episode)
      }
      #expect((section.claim("no-single-carrier") != nil) == isAsked)
      #expect((section.claim("spread") != nil) == (players != 8))
      #expect(section.claim("saturation") != nil)
    }
  }

  /// Where all together bring nothing, shares cannot be even: that is no finding.
  @Test func sharesOfNothingAreNotJudged() throws {
    let section = try SectionFixtures.aggregation(players: 6, orders: 2, episodes: 32) {
      episode, set in
      normals(1, 17, UInt64(episode), set.reduce(0) { $0 | 1 << UInt64($1) })[0]
    }
    #expect(section.claim("spread") == nil)
    #expect(section.claim("each-contributes") != nil)
  }

  /// One episode decides nothing and bounds nothing.
  @Test func oneEpisodeSaysNothing() throws {
    let sections = [
      try SectionFixtures.sweep([(.answers, [(7, 8)]), (.last, [(1, 8)])]),
      try SectionFixtures.sweep(donor: .swappedSlots, [(.answers, [(7, 8)])]),
      try SectionFixtures.vector(own: [(8, [0.1])], control: [(8, [7])]),
      try SectionFixtures.aggregation(players: 6, episodes: 1) { Double($1.count) },
      try SectionFixtures.aggregation(
        players: 3, direction: .recipientIntoDonor, episodes: 1
      ) { Double($1.count) },
    ]
    for section in sections {
      #expect(!section.claims.isEmpty && !section.results.isEmpty)
      for claim in Claim.adjusted(section.claims) {
        #expect(claim.verdict == .undecided, "\(claim.name)")
        #expect(!(claim.pValue < 1), "\(claim.name) \(claim.pValue)")
        if let effect = claim.effect { #expect(effect.high - effect.low > 0) }
      }
      for result in section.results {
        func number(_ key: String) -> Double {
          if case .number(let value)? = result.first(where: { $0.key == key })?.value {
            value
          } else {
            .nan
          }
        }
        #expect(number("high") - number("low") > 0, "\(result)")
      }
    }
  }
}
