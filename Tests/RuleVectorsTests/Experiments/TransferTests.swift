import Reports
import TensorCore
import Testing
import Transformer

@testable import RuleVectors

@Suite struct TransferTests {
  /// Two of each: eight formats.
  static let task = """
    {"name": "small", "title": "Small", "description": "For tests.", "kind": "categorization",
     "templates": [
       {"name": "arrow", "demonstration": "{input} -> {label}\\n", "query": "{input} ->"},
       {"name": "equals", "demonstration": "is {input} = {label}\\n", "query": "is {input} ="}],
     "label_sets": [{"name": "letters", "labels": ["A", "B"]},
                    {"name": "digits", "labels": ["7", "2"]}],
     "languages": [
       {"name": "plain", "classes": {"first": \(words("b")), "second": \(words("k"))}},
       {"name": "other", "classes": {"first": \(words("sh")), "second": \(words("th"))}}],
     "dummies": ["ma", "me", "mi", "mo", "mu", "na", "ne", "ni", "no", "nu"]}
    """

  private static func words(_ start: String) -> String {
    let words = [
      "a", "e", "i", "o", "u", "aa", "ee", "ii", "oo", "uu", "ae", "ei", "io", "ou", "ua",
    ]
    return "[" + words.map { "\"\(start)\($0)\"" }.joined(separator: ", ") + "]"
  }

  private func setting(_ laboratory: Laboratory, _ text: String = task) throws -> Setting {
    let subject = Subject.task(try Fixtures.read(text))
    return Setting(
      subject: subject, episodes: 2, demonstrations: 4,
      architecture: laboratory.engine.model.architecture,
      tokenizer: laboratory.engine.model.tokenizer,
      tokens: try laboratory.typicalTokens(subject), findTask: { throw UserError($0) })
  }

  private func rows(_ laboratory: Laboratory, donor: Donor) throws -> [TransferRow] {
    let kind = try experiment(
      Transfer.self, #""donor": "\#(donor.rawValue)", "layer": 1, "layers": [0, 1]"#)
    guard case .units(let units) = try kind.plan("p", setting(laboratory)) else { return [] }
    let unit = try #require(units.last)
    try unit.check(laboratory)
    return try unit.compute(laboratory, NeededRows(rows: [:])).compactMap { $0 as? TransferRow }
  }

  @Test func oneThingChanges() throws {
    let task = try Fixtures.read(Self.task)
    let formats = FormatChange.formats(
      FormatChange.allCases, of: task.format, among: task.formats)
    #expect(
      formats.map { "\($0.change.rawValue) \($0.format.name)" } == [
        "same-format arrow/letters/plain", "template equals/letters/plain",
        "labels arrow/digits/plain", "language arrow/letters/other",
      ])
    let several = Format(template: "equals", labels: "digits", language: "plain")
    #expect(FormatChange(from: task.format, to: several) == nil)
  }

  /// Half the difference between donors of both rules.
  private func effect(_ rows: [TransferRow], _ change: FormatChange, _ layer: Int) throws -> Double
  {
    let values = try [false, true].map { isFlipped in
      let row = try #require(
        rows.first { $0.change == change && $0.layer == layer && $0.isFlipped == isFlipped })
      return Double(row.outcome.patched.logitDifference)
    }
    return (values[0] - values[1]) / 2
  }

  /// Without attention below the patch an answer's vector is its label's alone: other templates and
  /// languages bring exactly what the same format does, other labels do not, and with the labels held
  /// fixed nothing brings anything.
  @Test func aModelWithoutAttentionCopiesLabels() throws {
    let laboratory = try TinyLaboratory.laboratory { name, values in
      if name.hasSuffix("o_proj.weight"), !name.contains("layers.2") {
        values = values.map { _ in 0 }
      }
    }
    let clean = try rows(laboratory, donor: .clean)
    #expect(clean.count == 4 * 2 * 2)
    for layer in [0, 1] {
      let same = try effect(clean, .nothing, layer)
      #expect(abs(same) > 1e-4)
      for change in [FormatChange.template, .language] {
        #expect(abs(try effect(clean, change, layer) - same) < 1e-5)
      }
      #expect(abs(try effect(clean, .labels, layer) - same) > 1e-4)
    }
    let fixed = try rows(laboratory, donor: .swappedSlots)
    for change in FormatChange.allCases {
      for layer in [0, 1] { #expect(abs(try effect(fixed, change, layer)) < 1e-5) }
    }
  }

  @Test func sameFormatIsALayerSweep() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let task = try Fixtures.read(Self.task)
    for donor in Donor.allCases {
      let found = try rows(laboratory, donor: donor).filter { $0.change == .nothing }
      let sweep = try laboratory.sweep(
        donor, task, 1, .heldOut, groups: [.answers], layers: [0, 1])
      for (row, expected) in zip(found.filter { !$0.isFlipped }, sweep) {
        #expect(abs(row.outcome.effect - expected.outcome.effect) < 1e-5)
        #expect(row.own == expected.outcome.donor && row.outcome.donor == row.own)
      }
      // The recipient's own vectors.
      for row in found where row.isFlipped {
        #expect(row.outcome.effect == 0 && row.own == row.outcome.recipient)
      }
    }
  }

  @Test func oneFormatIsSkipped() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let kind = try experiment(Transfer.self, #""donor": "clean", "layer": 1"#)
    guard case .skipped(let reason) = try kind.plan("p", TinyLaboratory.setting(laboratory)) else {
      Issue.record("there is no other format")
      return
    }
    #expect(
      reason.contains("no format that differs from default in nothing but template, or labels"))
  }

  /// - Parameters:
  ///   - effects: by change, of a gap of 8.
  ///   - own: of the donors' runs in their own formats.
  private func section(
    donor: Donor = .clean, _ effects: [FormatChange: Double], own: [FormatChange: Double] = [:],
    noise: Double = 0.2, path: UInt64 = 0
  ) throws -> Section {
    let kind = try experiment(Transfer.self, #""donor": "\#(donor.rawValue)", "layer": 1"#)
    let stored = (0..<12).flatMap { episode -> [StoredRow] in
      let rows = FormatChange.allCases.enumerated().flatMap { number, change -> [TransferRow] in
        guard let effect = effects[change] else { return [] }
        let draws = normals(4, 61, path, UInt64(episode), UInt64(number))
        return [1.0, -1].enumerated().map { index, rule in
          // Vectors of a format move the answer whatever their rule.
          let moved = change == .nothing ? 0 : 2.0
          return TransferRow(
            donor: donor, change: change, format: change.rawValue, isFlipped: rule < 0, layer: 1,
            own: Float(rule * (own[change] ?? 4) + noise * draws[2 + index]),
            outcome: Outcome(
              patched: RowFixtures.measurement(moved + rule * effect + noise * draws[index]),
              donor: Float(rule * 8), recipient: -8))
        }
      }
      return RowFixtures.stored(Transfer.self, probe: "p", episode: episode, rows)
    }
    return try kind.section(SectionFixtures.records(stored), RowFixtures.findings())
  }

  @Test func whatIsCarriedIsFound() throws {
    let section = try section([.nothing: 8, .template: 6, .labels: 2, .language: 0])
    let template = try #require(section.claim("carries.template"))
    #expect(template.verdict == .supported && abs(template.difference - 6) < 0.3)
    // Labels that are copied would do it, but for other labels.
    #expect(template.paperClaim == nil && template.evidence.contains("copied label would do"))
    #expect(try #require(section.claim("carries.labels")).paperClaim == 5)
    #expect(try #require(section.claim("carries.language")).pValue > 0.05)
    let less = try #require(section.claim("less.labels"))
    #expect(less.verdict == .supported && abs(less.difference - 6) < 0.3)
    #expect(try #require(section.rows.first { $0[0] == "template: template" })[2].hasPrefix("0.7"))
    #expect(section.claims.count == 6)
  }

  @Test func fixedLabelsSpeakToTheClaim() throws {
    let section = try section(donor: .swappedSlots, [.nothing: 8, .template: 6, .language: 3])
    #expect(section.claims.compactMap(\.paperClaim) == [5, 5])
  }

  /// What the donors do not have they cannot bring.
  @Test func formatsWithoutTheRuleSaySo() throws {
    let section = try section(
      donor: .swappedSlots, [.nothing: 8, .template: 0], own: [.template: -0.5])
    let claim = try #require(section.claim("carries.template"))
    #expect(claim.paperClaim == nil && claim.evidence.contains("do not clearly show the rule"))
  }

  /// Vectors that move the answer whatever their rule bring nothing.
  @Test func movingIsNotCarrying() throws {
    let simulations = 100
    let decided = try (0..<UInt64(simulations)).count { simulation in
      let section = try section([.nothing: 8, .labels: 0], noise: 1, path: 1 + simulation)
      return try #require(section.claim("carries.labels")).pValue <= 0.05
    }
    #expect(Double(decided) / Double(simulations) <= 0.05 + threeErrors(0.05, simulations))
  }

  @Test func rowsComeBack() throws {
    for change in FormatChange.allCases {
      let row = TransferRow(
        donor: .swappedSlots, change: change, format: "a/b", isFlipped: change == .labels,
        layer: 2, own: -0.1, outcome: RowTests.outcome)
      #expect(try TransferRow(Columns(row.columns, place: "row")) == row)
    }
  }
}
