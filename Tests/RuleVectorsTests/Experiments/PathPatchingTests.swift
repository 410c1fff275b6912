import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

@Suite struct PathPatchingTests {
  @Test func rowsComeBack() throws {
    let outcome = RowFixtures.outcome(effect: 0.25, gap: 2)
    for row in [
      PathPatchingRow(
        donor: .swappedSlots, path: .answerToLast, senders: HeadSet(3...3, head: 2),
        receivers: HeadSet(7...7, head: 0), outcome: outcome),
      PathPatchingRow(
        donor: .clean, path: .answerToLaterAnswers, senders: HeadSet(0...4),
        receivers: HeadSet(5...9), outcome: outcome),
      PathPatchingRow(donor: .clean, path: .total, senders: HeadSet(25...29), outcome: outcome),
    ] {
      let stored = RowFixtures.stored(PathPatching.self, probe: "p", episode: 2, [row])[0]
      #expect(try Record<PathPatchingRow>(RowFixtures.readAgain(stored)).row == row)
    }
  }

  @Test func windowsAreCutAtTheEnd() throws {
    func windows(_ keys: String, _ layers: Int) throws -> [ClosedRange<Int>] {
      let kind = try experiment(PathPatching.self, keys)
      return try kind.windows(kind.senders, layers, "p").map(\.layers)
    }
    #expect(try windows("", 12) == [0...4, 5...9, 10...11])
    #expect(try windows(#""window": 2, "senders": [1, 5]"#, 6) == [1...2, 5...5])
    #expect(try windows(#""window": 3, "senders": "all""#, 3) == [0...2, 1...2, 2...2])
    #expect(throws: UserError.self) { try windows(#""senders": [12]"#, 12) }
  }

  /// Development episodes choose; the others follow up what they chose.
  @Test func headsAreThoseOfTheStrongestEdge() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let probe = try RowFixtures.probe(
      "p", #""experiment": "path", "window": 1, "heads": 3, "development": 2"#)
    let plan = try RunPlan([probe], TinyLaboratory.setting(laboratory))
    #expect(plan.units.count == 2 + 2 + 2)
    try plan.check(laboratory)
    var rows: [StoredRow] = []
    let runner = Runner(plan: plan, laboratory: laboratory, model: "tiny", verifications: 6)
    try runner(known: [], append: { rows += $0 }, watch: { _ in })
    #expect(laboratory.verified.variants > 0 && laboratory.verified.largestDeviation < 1e-4)

    let records = try rows.map { try Record<PathPatchingRow>($0) }
    let development = records.filter { $0.key.split == .development }
    func mean(_ isWanted: (PathPatchingRow) -> Bool) -> Double {
      let effects = development.map(\.row).filter(isWanted).map(\.outcome.effect)
      return effects.reduce(0, +) / Double(effects.count)
    }
    let edges = [(0, 1), (0, 2), (1, 2)]
    let best = try #require(
      edges.max { a, b in
        mean { row in
          row.path == .answerToLast && row.senders == HeadSet(a.0...a.0)
            && row.receivers == HeadSet(a.1...a.1)
        }
          < mean { row in
            row.path == .answerToLast && row.senders == HeadSet(b.0...b.0)
              && row.receivers == HeadSet(b.1...b.1)
          }
      })
    let heads = development.filter { $0.key.part == PathPatching.headPart }.map(\.row)
    #expect(heads.count == 2 * 36)
    #expect(heads.allSatisfy { $0.senders.layers == best.0...best.0 })
    #expect(heads.allSatisfy { $0.receivers?.layers == best.1...best.1 })
    let reported = records.filter { $0.key.split == .heldOut && $0.row.senders.head != nil }
    #expect(reported.count == 2 * 3)
    let ranked = Set(heads.map { [$0.senders, $0.receivers] }).sorted { a, b in
      mean { [$0.senders, $0.receivers] == a } > mean { [$0.senders, $0.receivers] == b }
    }
    #expect(
      reported.prefix(3).map { [$0.row.senders, $0.row.receivers] } == Array(ranked.prefix(3)))
    _ = try probe.section(of: rows, task: "small", model: "tiny", seed: 0)
  }

  @Test func whatCannotBePatchedIsSkipped() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let probe = try RowFixtures.probe("p", #""experiment": "path""#)
    let plan = try RunPlan([probe], TinyLaboratory.setting(laboratory, demonstrations: 1))
    #expect(plan.units.isEmpty && plan.skipped[0].reason.contains("later answers"))
  }

  // MARK: - Sentences

  /// Rows of senders in layers 0 and 1 where each part of the whole has an effect of its own.
  private func section(
    development: [Double] = [1, 3], parts: [(Int) -> Double], episodes: Int = 20
  ) throws -> Section {
    let kind = try experiment(
      PathPatching.self, #""window": 1, "heads": 0, "development": 2"#)
    func rows(_ scale: [Double], _ episode: Int) -> [PathPatchingRow] {
      scale.enumerated().flatMap { layer, scale -> [PathPatchingRow] in
        var sum = 0.0
        return zip([PathClass.direct, .ownHeads, .answers, .total], parts).map { path, part in
          sum += scale * part(episode)
          return PathPatchingRow(
            donor: .swappedSlots, path: path, senders: HeadSet(layer...layer),
            outcome: RowFixtures.outcome(effect: sum, gap: 10))
        } + [
          PathPatchingRow(
            donor: .swappedSlots, path: .answerToLast, senders: HeadSet(layer...layer),
            receivers: HeadSet(2...2),
            outcome: RowFixtures.outcome(effect: scale * parts[0](episode), gap: 10))
        ]
      }
    }
    let stored =
      (0..<2).flatMap {
        RowFixtures.stored(
          PathPatching.self, probe: "p", split: .development, episode: $0, rows(development, $0))
      }
      + (0..<episodes).flatMap {
        RowFixtures.stored(PathPatching.self, probe: "p", episode: $0, rows([1, 2], $0))
      }
    return try kind.section(SectionFixtures.records(stored), RowFixtures.findings())
  }

  @Test func partsAddUpAndAreTested() throws {
    let noise = normals(40, 5)
    let section = try section(parts: [
      { 0.75 + 0.05 * noise[$0] }, { _ in 0.05 }, { 0.15 + 0.05 * noise[20 + $0] }, { _ in 0.05 },
    ])
    let claims = Claim.adjusted(section.claims)
    func verdict(_ name: String) throws -> Claim.Verdict {
      try #require(claims.first { $0.name == "p.\(name)" }).verdict
    }
    for name in ["answers-write", "directly", "directly-over-later-answers", "answer-last"] {
      #expect(try verdict(name) == .supported, "\(name)")
    }
    let write = try #require(claims.first { $0.name == "p.answers-write" })
    // Layer 1, which development episodes chose, where effects are twice those of layer 0.
    #expect(write.sentence.contains("layer 1") && write.paperClaim == 2)
    #expect(abs(write.difference - 2) < 0.1)
    #expect(claims.filter { $0.paperClaim != nil }.count == 1)
    let parts = try #require(section.summary.first { $0.key == "parts" }).value.text
    #expect(parts.contains("\"through later answers\""))
    #expect(section.claims.count == 4)
  }

  @Test func theOtherWayIsSaidToo() throws {
    let noise = normals(20, 6)
    let section = try section(parts: [
      { 0.1 + 0.05 * noise[$0] }, { _ in 0.05 }, { _ in 0.8 }, { _ in 0.05 },
    ])
    for name in ["directly", "directly-over-later-answers"] {
      let claim = try #require(
        Claim.adjusted(section.claims).first { $0.name == "p.\(name)" })
      #expect(claim.verdict == .contradicted, "\(name)")
    }
  }

  @Test func withoutItsDevelopmentEpisodesNothingIsSaid() throws {
    let kind = try experiment(PathPatching.self, #""window": 1, "development": 3"#)
    let row = PathPatchingRow(
      donor: .clean, path: .total, senders: HeadSet(0...0),
      outcome: RowFixtures.outcome(effect: 1, gap: 2))
    let rows = (0..<2).flatMap { episode in
      [Split.development, .heldOut].flatMap {
        RowFixtures.stored(PathPatching.self, probe: "p", split: $0, episode: episode, [row])
      }
    }
    #expect(try kind.section(SectionFixtures.records(rows), RowFixtures.findings()).claims.isEmpty)
  }
}
