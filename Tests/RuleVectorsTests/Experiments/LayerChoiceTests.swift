import TensorCore
import Testing

@testable import RuleVectors

@Suite struct LayerChoiceTests {
  static let choice = LayerChoice.development(donor: .clean, positions: .answers, episodes: 3)

  /// Development rows of a choice with a logit difference for each layer.
  static func rows(_ episodes: Int, _ values: [Double], choice: LayerChoice = choice) -> [StoredRow]
  {
    (0..<episodes).flatMap { episode in
      RowFixtures.stored(
        LayerChoiceRows.self, probe: choice.probe ?? "", split: .development, episode: episode,
        values.enumerated().map {
          LayerSweepRow(
            donor: .clean, positions: .answers, layer: $0,
            outcome: RowFixtures.outcome(effect: $1 + Double(episode), gap: 8))
        })
    }
  }

  @Test func earliestOfEqualLayersWins() throws {
    #expect(try LayerChoice.best([4: 1, 2: 3, 3: 3, 9: 2.5]) == 2)
    #expect(try LayerChoice.best([0: -1]) == 0)
    #expect(throws: UserError.self) { try LayerChoice.best([:]) }
    let findings = RowFixtures.findings(shared: Self.rows(3, [1, 5, 5, 2]))
    #expect(try Self.choice.layer(findings) == 1)
  }

  /// The mean over episodes decides, not one of them.
  @Test func meanOverEpisodesDecides() throws {
    var shared: [StoredRow] = []
    for (episode, values) in [[0.0, 9, 4], [5, 0, 4], [3, 0, 4]].enumerated() {
      shared += RowFixtures.stored(
        LayerChoiceRows.self, probe: Self.choice.probe ?? "", split: .development,
        episode: episode,
        values.enumerated().map {
          LayerSweepRow(
            donor: .clean, positions: .answers, layer: $0,
            outcome: RowFixtures.outcome(effect: $1, gap: 8))
        })
    }
    #expect(try Self.choice.layer(RowFixtures.findings(shared: shared)) == 2)
  }

  @Test func needsAllItsDevelopmentEpisodes() throws {
    for episodes in 0..<3 {
      let findings = RowFixtures.findings(shared: Self.rows(episodes, [1, 5, 2]))
      #expect(try Self.choice.layer(findings) == nil)
    }
    // Those of another task or of another choice do not count.
    let others =
      Self.rows(2, [1, 5, 2])
      + Self.rows(3, [1, 2, 5], choice: .development(donor: .clean, positions: .last, episodes: 3))
    #expect(try Self.choice.layer(RowFixtures.findings(shared: others)) == nil)
    #expect(
      try Self.choice.layer(RowFixtures.findings(task: "other", shared: Self.rows(3, [1, 5])))
        == nil)
  }

  @Test func fixedLayersNeedNothing() throws {
    #expect(try LayerChoice.fixed(7).layer(RowFixtures.findings()) == 7)
    #expect(LayerChoice.fixed(7).probe == nil)
    #expect(throws: UserError.self) { try LayerChoice.fixed(7).validate(7, probe: "p") }
    try LayerChoice.fixed(6).validate(7, probe: "p")
  }

  @Test func unitsCarryTheChoicesName() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let setting = try TinyLaboratory.setting(laboratory)
    let task = try #require(setting.subject.task)
    let units = Self.choice.units(task, setting)
    #expect(
      units.map(\.key.description)
        == (0..<3).map { "layer-choice.clean.answers.3/small/development/\($0)" })
    #expect(units.allSatisfy { $0.experiment == "layer-choice" && $0.needs.isEmpty })
    #expect(LayerChoice.fixed(1).units(task, setting).isEmpty)
  }

  /// Probes that choose alike share the choice, others do not.
  @Test func probesShareTheirChoices() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let setting = try TinyLaboratory.setting(laboratory)
    let layer = #""layer": {"donor": "clean", "positions": "answers", "episodes": 3}"#
    let probes = [
      try RowFixtures.probe("one", "\(ProbeTests.sweep), \(layer)"),
      try RowFixtures.probe(
        "two", #""experiment": "aggregation", "donor": "clean", "players": "pairs", "# + layer),
      try RowFixtures.probe(
        "three",
        ProbeTests.sweep
          + #", "layer": {"donor": "clean", "positions": "answers", "episodes": 2}"#),
    ]
    let plan = try RunPlan(probes, setting)
    #expect(
      plan.units.map(\.key.description) == [
        "layer-choice.clean.answers.3/small/development/0",
        "layer-choice.clean.answers.3/small/development/1",
        "layer-choice.clean.answers.3/small/development/2",
        "one/small/held-out/0", "one/small/held-out/1",
        "two/small/held-out/0", "two/small/held-out/1",
        "layer-choice.clean.answers.2/small/development/0",
        "layer-choice.clean.answers.2/small/development/1",
        "three/small/held-out/0", "three/small/held-out/1",
      ])
    let needs = plan.units.filter { $0.key.probe == "two" }.map(\.needs)
    #expect(needs.allSatisfy { $0 == plan.units.prefix(3).map(\.key) })
  }

  /// A sweep patches the layer that its sentences speak of even where its list leaves it out.
  @Test func chosenLayerIsPatchedWhateverTheListSays() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let setting = try TinyLaboratory.setting(laboratory)
    for (layer, expected) in [
      (1, [0, 1]), (0, [0]), (2, [0, 2]),
    ] {
      let probe = try RowFixtures.probe(
        "p", "\(ProbeTests.sweep), \"layers\": [0], \"layer\": \(layer)")
      let unit = try #require(try RunPlan([probe], setting).units.first)
      let rows = try unit.compute(laboratory, NeededRows(rows: [:]))
      #expect(rows.compactMap { ($0 as? LayerSweepRow)?.layer } == expected)
    }
    // And where development episodes choose it, the same in sentences as in rows.
    let values = [1.0, 2, 7]
    let shared = Self.rows(3, values)
    let probe = try RowFixtures.probe(
      "p",
      ProbeTests.sweep + #", "layers": [1]"#
        + #", "layer": {"donor": "clean", "positions": "answers", "episodes": 3}"#)
    let unit = try #require(
      try RunPlan([probe], setting).units.first { $0.key.probe == "p" })
    let rows = try unit.compute(
      laboratory, NeededRows(rows: Dictionary(grouping: shared, by: \.key)))
    #expect(rows.compactMap { ($0 as? LayerSweepRow)?.layer } == [1, 2])
  }

  @Test func layersOutOfRangeAreRefusedBeforeAnythingRuns() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let setting = try TinyLaboratory.setting(laboratory)
    for keys in [
      ProbeTests.sweep + #", "layers": [3]"#, ProbeTests.sweep + #", "layer": 3"#,
      #""experiment": "aggregation", "donor": "clean", "players": "pairs", "layer": 3"#,
      ProbeTests.global + #", "layers": [0, 3]"#, ProbeTests.grid + #", "layers": [3]"#,
    ] {
      let probe = try RowFixtures.probe("mine", keys)
      #expect {
        _ = try RunPlan([probe], setting)
      } throws: {
        "\($0)" == "probe mine: layer 3 is out of range; the model has layers 0 to 2"
      }
    }
  }
}
