import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

@Suite struct DemonstrationSequenceTests {
  private static let keys = #""donor": "clean", "layer": 1, "layers": [0, 1]"#

  private func rows(_ laboratory: Laboratory, _ keys: String = keys) throws -> [SequenceRow] {
    let kind = try experiment(DemonstrationSequence.self, keys)
    guard case .units(let units) = try kind.plan("p", TinyLaboratory.setting(laboratory)) else {
      return []
    }
    let unit = try #require(units.last)
    try unit.check(laboratory)
    return try unit.compute(laboratory, NeededRows(rows: [:])).compactMap { $0 as? SequenceRow }
  }

  /// The demonstration stays; what is before it is what the word says.
  @Test func predecessorsAreWhatTheySay() throws {
    let task = try Fixtures.read(TinyLaboratory.categorization)
    let sampler = EpisodeSampler(task: task)
    let source = try sampler.episode(index: 1, split: .heldOut, demonstrations: 4, seed: 5)
    for predecessors in Predecessors.allCases {
      let episodes = try predecessors.episodes(of: source, sampler)
      #expect(episodes.count == 4)
      for (slot, episode) in episodes.enumerated() {
        #expect(episode.demonstrations.last == source.demonstrations[slot])
        let before = episode.demonstrations.dropLast()
        let own = source.demonstrations.prefix(slot)
        #expect(before.count == (predecessors == .none ? 0 : slot))
        switch predecessors {
        case .own: #expect(Array(before) == Array(own))
        case .otherItems:
          #expect(zip(before, own).allSatisfy { $0.answer == $1.answer && $0.input != $1.input })
        case .flippedRule:
          #expect(zip(before, own).allSatisfy { $0.answer != $1.answer && $0.input == $1.input })
        case .dummies: #expect(before.allSatisfy { task.dummies.contains($0.input) })
        case .none: break
        }
      }
    }
  }

  /// Without attention below the patch a vector is a function of its own token alone, wherever it
  /// stands: all predecessors bring the same. With attention they do not, but for the first slot,
  /// which has nothing before it.
  @Test func attentionIsWhatBringsInPredecessors() throws {
    let local = try rows(
      TinyLaboratory.laboratory { name, values in
        if name.hasSuffix("o_proj.weight"), !name.contains("layers.2") {
          values = values.map { _ in 0 }
        }
      })
    let contextual = try rows(TinyLaboratory.laboratory())
    for (isLocal, rows) in [(true, local), (false, contextual)] {
      func differences(_ slot: Int?, _ predecessors: Predecessors) throws -> [Double] {
        try rows.filter { $0.slot == slot && $0.predecessors == predecessors }.map { row in
          let own = try #require(
            rows.first {
              $0.slot == slot && $0.layer == row.layer && $0.predecessors == .own
            })
          return max(
            abs(own.outcome.effect - row.outcome.effect), abs(Double(own.flipped - row.flipped)))
        }
      }
      // Words and labels are as long as each other, so nothing moves but what stands alone.
      for row in rows where row.predecessors != .none { #expect(row.shift == 0) }
      for predecessors in Predecessors.allCases.dropFirst() {
        #expect(try differences(0, predecessors).allSatisfy { $0 < 1e-5 })
        for slot in [nil, 1, 3] {
          let found = try differences(slot, predecessors)
          #expect(!found.isEmpty)
          #expect(found.allSatisfy { isLocal ? $0 < 1e-5 : $0 > 1e-5 }, "\(predecessors) \(found)")
        }
      }
    }
  }

  /// All own vectors at once are the patch of a layer sweep.
  @Test func ownPredecessorsAreTheDonorsRun() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let task = try Fixtures.read(TinyLaboratory.categorization)
    for donor in Donor.allCases {
      let own = try rows(
        laboratory, #""donor": "\#(donor.rawValue)", "layer": 1, "layers": [0, 1]"#
      ).filter { $0.predecessors == .own && $0.slot == nil }
      let sweep = try laboratory.sweep(
        donor, task, 1, .heldOut, groups: [.answers], layers: [0, 1])
      #expect(own.map(\.layer) == [0, 1])
      for (row, expected) in zip(own, sweep) {
        #expect(abs(row.outcome.effect - expected.outcome.effect) < 1e-5)
        // The flipped rule's own vectors change nothing.
        #expect(abs(row.flipped - row.outcome.recipient) < 1e-5)
        #expect(abs(2 * row.bothRules.effect - expected.outcome.effect) < 1e-5)
        #expect(abs(2 * row.bothRules.gap - expected.outcome.gap) < 1e-5)
        #expect(row.outcome.donor == expected.outcome.donor)
      }
    }
  }

  /// Effects by predecessors, and what a slot loses behind the flipped rule.
  private func section(
    donor: Donor = .clean, episodes: Int = 16, noise: Double = 0.1,
    _ effects: [Predecessors: Double], losses: [Double] = [0, 1, 2, 3]
  ) throws -> Section {
    let kind = try experiment(
      DemonstrationSequence.self, #""donor": "\#(donor.rawValue)", "layer": 1"#)
    let stored = (0..<episodes).flatMap { episode -> [StoredRow] in
      var rows: [SequenceRow] = []
      for (number, predecessors) in Predecessors.allCases.enumerated() {
        guard let effect = effects[predecessors] else { continue }
        let draws = normals(5, 31, UInt64(episode), UInt64(number)).map { $0 * noise }
        for slot in [nil, 0, 1, 2, 3] {
          let lost = slot.map { predecessors == .flippedRule ? losses[$0] : 0 } ?? 0
          rows.append(
            SequenceRow(
              donor: donor, predecessors: predecessors, slot: slot, layer: 1,
              shift: predecessors == .none ? 6 : 0,
              outcome: RowFixtures.outcome(
                effect: (slot == nil ? effect : 5) - lost + draws[slot ?? 4], gap: 16),
              flipped: RowFixtures.flipped(
                effect: (slot == nil ? effect : 5) - lost + draws[slot ?? 4])))
        }
      }
      return RowFixtures.stored(DemonstrationSequence.self, probe: "p", episode: episode, rows)
    }
    return try kind.section(SectionFixtures.records(stored), RowFixtures.findings())
  }

  @Test func whatIsThereIsFound() throws {
    let section = try section([
      .own: 6, .otherItems: 6, .flippedRule: 3, .dummies: 4.5, .none: 7,
    ])
    let flipped = try #require(section.claim("over-flipped-rule"))
    #expect(abs(flipped.difference - 3) < 0.2 && flipped.pValue < 0.001)
    #expect(try #require(section.claim("over-other-items")).pValue > 0.05)
    // More alone than behind its own is the opposite of the sentence.
    let alone = try #require(section.claim("over-none"))
    #expect(alone.verdict == .contradicted && alone.evidence.contains("6.0 tokens"))
    let local = try #require(section.claim("local"))
    #expect(abs(local.difference - 4.5) < 0.1 && local.paperClaim == nil)
    let later = try #require(section.claim("later-slots"))
    #expect(abs(later.difference - 1) < 0.1 && later.pValue < 0.001)
    let row = try #require(section.rows.first { $0[0] == "dummies" })
    #expect(row[3].hasPrefix("0.7"))
    #expect(section.claims.count == 6)
  }

  /// With the labels held fixed a vector without a rule before it speaks to the paper's claim.
  @Test func onlyFixedLabelsSpeakToTheClaim() throws {
    let section = try section(donor: .swappedSlots, [.own: 6, .none: 3])
    #expect(section.claims.compactMap(\.paperClaim) == [2])
    #expect(try #require(section.claim("local")).evidence.contains("nothing before it"))
    #expect(section.claim("later-slots") == nil)
  }

  /// A loss that is there from the second slot on and the same for all is no slope, though the first
  /// slot loses nothing.
  @Test(arguments: [6, 16]) func aStepIsNoSlope(episodes: Int) throws {
    let section = try section(
      episodes: episodes, [.own: 6, .flippedRule: 4], losses: [0, 2, 2, 2])
    #expect(try #require(section.claim("later-slots")).pValue > 0.05)
  }

  @Test func rowsComeBack() throws {
    for slot in [nil, 3] {
      let row = SequenceRow(
        donor: .swappedSlots, predecessors: .none, slot: slot, layer: 4, shift: 2.5,
        outcome: RowTests.outcome, flipped: -3)
      #expect(try SequenceRow(Columns(row.columns, place: "row")) == row)
    }
  }

  @Test func wrongKeys() throws {
    #expect {
      _ = try experiment(
        DemonstrationSequence.self, #""donor": "clean", "layer": 1, "predecessors": ["own"]"#)
    } throws: {
      "\($0)".contains("predecessors: found only \"own\", allowed is at least one other")
    }
    let laboratory = try TinyLaboratory.laboratory()
    let kind = try experiment(DemonstrationSequence.self, Self.keys)
    guard
      case .skipped(let reason) = try kind.plan(
        "p", TinyLaboratory.setting(laboratory, demonstrations: 1))
    else {
      Issue.record("one demonstration has nothing before it")
      return
    }
    #expect(reason.contains("nothing before it"))
  }
}
