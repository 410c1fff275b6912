import TensorCore
import Testing

@testable import RuleVectors

/// An experiment as somebody else would write one: a row, a kind and a section of its own.
private struct DrawnRow: ResultRow, Equatable {
  let value: Int
  /// Sum over the rows of the units that were needed.
  let needed: Int

  init(value: Int, needed: Int) {
    self.value = value
    self.needed = needed
  }

  init(_ columns: Columns) throws {
    self.init(value: try columns.integer("value"), needed: try columns.integer("needed"))
  }

  var columns: [(key: String, value: JSONValue)] {
    [("value", .integer(value)), ("needed", .integer(needed))]
  }
}

private struct Drawn: Experiment {
  typealias Row = DrawnRow
  static let kind = "drawn"
  static let version = 4
  let rows: Int

  init(_ keys: ProbeKeys) throws { rows = try keys.integer("rows", 1...9, or: 2) }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    guard setting.demonstrations > 0 else { return .skipped("there is nothing to draw from") }
    let rows = rows
    func key(_ split: Split, _ episode: Int) -> UnitKey {
      UnitKey(
        probe: split == .development ? "shared" : probe, task: setting.subject.name, split: split,
        episode: episode)
    }
    let shared = (0..<2).map { key(.development, $0) }
    @Sendable func draw(_ key: UnitKey, _ laboratory: Laboratory, _ needed: Int) -> [DrawnRow] {
      var random = key.stream(seed: laboratory.seed, purpose: 1)
      return (0..<rows).map { _ in
        DrawnRow(value: random.integer(below: 1 << 30), needed: needed)
      }
    }
    return .units(
      shared.map { key in
        Unit(Self.self, key, cost: 3, compute: { laboratory, _ in draw(key, laboratory, 0) })
      }
        + (0..<setting.episodes).map { episode in
          let own = key(.heldOut, episode)
          // The last needs both, in the other order; the others the first.
          let needs = episode == setting.episodes - 1 ? shared.reversed() : [shared[0]]
          return Unit(
            Self.self, own, needs: needs, cost: 5,
            compute: { laboratory, needed in
              // No more than was asked for.
              #expect(Set(needed.rows.keys).isSubset(of: needs))
              let found: [DrawnRow] = try needed.rows(of: needs)
              return draw(own, laboratory, found.reduce(0) { $0 &* 31 &+ $1.value })
            })
        })
  }

  func section(_ rows: [Record<DrawnRow>], _ findings: Findings) throws -> Section {
    var section = Section(heading: findings.title)
    section.summary = [("sum", .integer(rows.reduce(0) { $0 + $1.row.value }))]
    return section
  }
}

@Suite struct RunnerTests {
  private struct Outcome {
    var rows: [StoredRow] = []
    var appended: [UnitKey] = []
    var statuses: [Runner.Status] = []

    /// Lines by unit.
    var lines: [UnitKey: [String]] {
      Dictionary(grouping: rows, by: \.key).mapValues { $0.map(\.json.text) }
    }
  }

  private func run(
    _ plan: RunPlan, _ laboratory: Laboratory, known: [StoredRow] = [], verifications: Int = 0,
    stopAfter: Int = .max
  ) throws -> Outcome {
    var outcome = Outcome(rows: known)
    let runner = Runner(
      plan: plan, laboratory: laboratory, model: "tiny", verifications: verifications)
    struct Stopped: Error {}
    do {
      try runner(
        known: known,
        append: { rows in
          // A unit's rows come at once.
          #expect(Set(rows.map(\.key)).count == 1)
          #expect(rows.allSatisfy { $0.unitRows == rows.count })
          outcome.rows += rows
          outcome.appended.append(rows[0].key)
        },
        watch: {
          outcome.statuses.append($0)
          if outcome.statuses.count == stopAfter { throw Stopped() }
        })
    } catch is Stopped {}
    return outcome
  }

  private func drawn(_ probes: [String], episodes: Int = 4, demonstrations: Int = 4) throws -> (
    RunPlan, Laboratory
  ) {
    let laboratory = try TinyLaboratory.laboratory()
    let setting = try TinyLaboratory.setting(
      laboratory, episodes: episodes, demonstrations: demonstrations)
    let kind = AnyExperiment(try experiment(Drawn.self, #""rows": 3"#))
    return (RunPlan(try probes.map { ($0, try kind.plan($0, setting)) }), laboratory)
  }

  @Test func anExperimentOfOnesOwnPlugsIn() throws {
    let (plan, laboratory) = try drawn(["a", "b"])
    // Shared units come once, and before whoever needs them.
    #expect(
      plan.units.map(\.key.description) == [
        "shared/small/development/0", "shared/small/development/1",
      ]
        + ["a", "b"].flatMap { probe in (0..<4).map { "\(probe)/small/held-out/\($0)" } })
    #expect(plan.cost == 2 * 3 + 8 * 5 && plan.skipped.isEmpty)
    let outcome = try run(plan, laboratory)
    #expect(outcome.appended == plan.units.map(\.key))
    #expect(outcome.rows.count == 30 && outcome.rows.wholeUnits.cut == 0)
    #expect(outcome.rows.allSatisfy { $0.experiment == "drawn" && $0.version == 4 })
    #expect(outcome.statuses.map(\.done) == [3, 6] + (1...8).map { 6 + 5 * $0 })
    #expect(outcome.statuses.allSatisfy { $0.total == 46 && $0.isFresh })
    #expect(outcome.statuses[0].label == "shared, small, development, episode 1")
    #expect(outcome.statuses[3].label == "a, small, episode 2")

    let kind = AnyExperiment(try experiment(Drawn.self, ""))
    let section = try kind.section(
      outcome.rows.filter { $0.key.probe == "a" }, RowFixtures.findings("a"))
    let sum = try outcome.rows.filter { $0.key.probe == "a" }
      .reduce(0) { $0 + (try $1.columns.integer("value")) }
    #expect(section.summary.first?.value == .integer(sum))
  }

  @Test func skippedProbesSayWhy() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let setting = Setting(
      subject: .task(try Fixtures.read(TinyLaboratory.categorization)), episodes: 1,
      demonstrations: 0, architecture: laboratory.engine.model.architecture,
      tokenizer: laboratory.engine.model.tokenizer, tokens: 8,
      findTask: { throw UserError($0) })
    let kind = AnyExperiment(try experiment(Drawn.self, ""))
    let plan = RunPlan([("a", try kind.plan("a", setting))])
    #expect(plan.units.isEmpty && plan.cost == 0)
    #expect(plan.skipped.map(\.probe) == ["a"])
    #expect(plan.skipped.map(\.reason) == ["there is nothing to draw from"])
  }

  /// The same rows whatever is there already, read back from a file, and in any order of probes.
  @Test func rowsDependOnNothingButTheirUnit() throws {
    let (plan, laboratory) = try drawn(["a", "b"])
    let whole = try run(plan, laboratory)
    for kept in 0..<6 {
      let some = try plan.units.indices.filter { ($0 * 7 + kept) % (kept + 1) == 0 }
        .flatMap { index in whole.rows.filter { $0.key == plan.units[index].key } }
        .map { try RowFixtures.readAgain($0) }
      let known = Set(some.map(\.key))
      let outcome = try run(plan, laboratory, known: some)
      #expect(outcome.lines == whole.lines)
      #expect(outcome.appended == plan.units.map(\.key).filter { !known.contains($0) })
      #expect(outcome.statuses.map(\.isFresh) == plan.units.map { !known.contains($0.key) })
      #expect(outcome.statuses.last?.done == plan.cost)
    }
    let (reversed, _) = try drawn(["b", "a"])
    #expect(try run(reversed, laboratory).lines == whole.lines)
    // Stopped anywhere, and continued.
    for count in 1..<plan.units.count {
      let stopped = try run(plan, laboratory, stopAfter: count)
      #expect(stopped.appended.count == count)
      #expect(
        try run(plan, laboratory, known: stopped.rows).rows.map(\.json) == whole.rows.map(\.json))
    }
  }

  static let probes = [
    #"sweep|"experiment": "layer-sweep", "donor": "clean", "positions": ["answers", "last"], "layers": [0], "layer": {"donor": "swapped-slots", "positions": "answers", "episodes": 2}"#,
    #"game|"experiment": "aggregation", "donor": "swapped-slots", "players": "demonstrations", "permutations": 2, "layer": {"donor": "swapped-slots", "positions": "answers", "episodes": 2}"#,
    #"vector|"experiment": "global-vector", "donors": 2, "development": 1, "layers": [1]"#,
    #"curve|"experiment": "shot-curve", "shots": [0, 2]"#,
    #"grid|"experiment": "grid", "sites": ["resid_pre", "z"], "layers": [1]"#,
    #"sequence|"experiment": "sequence", "donor": "clean", "layers": [0], "layer": {"donor": "swapped-slots", "positions": "answers", "episodes": 2}"#,
    #"cosines|"experiment": "convergence", "donors": 2, "development": 1, "layers": [1]"#,
  ]

  private func shipped(_ laboratory: Laboratory, _ order: [Int]) throws -> RunPlan {
    try RunPlan(
      order.map { number in
        let parts = Self.probes[number].split(separator: "|")
        return try RowFixtures.probe(String(parts[0]), String(parts[1]))
      }, TinyLaboratory.setting(laboratory))
  }

  /// Every kind of experiment with a model: bits do not depend on what was computed before, in which
  /// order, or by how many threads.
  @Test func everyExperimentRepeatsItsBits() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let plan = try shipped(laboratory, [0, 1, 2, 3, 4, 5, 6])
    try plan.check(laboratory)
    let whole = try run(plan, laboratory, verifications: 1_000)
    #expect(whole.rows.wholeUnits.cut == 0)
    #expect(Set(whole.rows.map(\.experiment)).count == 8)
    // All that patch are verified; those that run whole prompts have nothing to verify.
    let status = try #require(whole.statuses.last)
    let whatRunsWhole = ["shot-curve", "convergence"]
    #expect(
      status.verified.variants == plan.units.count { !whatRunsWhole.contains($0.experiment) })
    #expect(status.verified.problem == nil)

    let others = try TinyLaboratory.laboratory(threads: 2)
    let shuffled = try run(shipped(others, [4, 6, 2, 1, 3, 5, 0]), others)
    #expect(shuffled.lines == whole.lines)
    let odd = try whole.rows.filter { row in
      (plan.units.firstIndex { $0.key == row.key } ?? 0) % 2 == 1
    }.map { try RowFixtures.readAgain($0) }
    #expect(try run(plan, others, known: odd).lines == whole.lines)
  }

  /// Work per unit does not grow with the rows that are there: other probes' rows are not looked at.
  @Test func needsAreNotGuessed() throws {
    let (plan, laboratory) = try drawn(["a"])
    let whole = try run(plan, laboratory)
    // Without the shared units, nobody makes them up.
    let withoutShared = RunPlan([
      ("a", .units(plan.units.filter { $0.key.probe != "shared" }))
    ])
    #expect(throws: (any Error).self) { try run(withoutShared, laboratory) }
    // Rows of units that the plan does not name change nothing.
    let foreign = RowFixtures.baseline(episodes: 3, right: 2)
    let outcome = try run(plan, laboratory, known: foreign)
    #expect(outcome.lines.filter { $0.key.probe != "baseline" } == whole.lines)
  }
}
