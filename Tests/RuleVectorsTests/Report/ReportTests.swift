import Foundation
import Reports
import TensorCore
import Testing

@testable import RuleVectors

/// Runs as folders, and the reports of them.
@Suite struct ReportTests {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "icl-probe-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private static let probes = [
    ("sweep", ProbeTests.sweep.replacing("[\"answers\"]", with: "[\"answers\", \"last\"]")),
    ("other", ProbeTests.sweep.replacing("\"clean\"", with: "\"swapped-slots\"")),
  ]

  /// A run of two sweeps of one kind.
  ///
  /// - Parameters:
  ///   - right: baseline prompts that are right, of 16.
  ///   - effect: of the answers, of a gap of 8.
  private func record(
    _ name: String, task: String = "small", right: Int = 16, effect: Double = 6,
    seed: UInt64 = 0, finished: Bool = true, failed: String? = nil, layer: String = ", \"layer\": 1"
  ) throws -> RunRecord {
    let probes =
      [try Probe.baseline()]
      + (try Self.probes.map { try RowFixtures.probe($0.0, $0.1 + layer) })
    let directory = try RunDirectory.open(
      root: folder, name: name,
      identity: [
        "kind": "patch", "task": .string(task), "shots": 4, "episodes": 16,
        "seed": .integer(
          Int(seed)),
      ], rowsFile: RunRecord.rowsFile, path: "\(folder)/\(name)")
    directory.set("model_name", "tiny")
    directory.set("model", "models/tiny.gguf")
    directory.set("probes", .array(probes.map(\.definition)))
    if let failed { directory.set("failed", .string(failed)) }
    try directory.append(
      RowFixtures.baseline(episodes: 16, right: right, task: task).map(\.json))
    let noise = normals(32, 20, seed)
    for (number, (probe, _)) in Self.probes.enumerated() {
      for episode in 0..<16 {
        var rows: [LayerSweepRow] = []
        for layer in 0..<3 {
          for group in number == 0 ? [PositionGroup.answers, .last] : [.answers] {
            let effect = group == .answers ? effect : 0
            rows.append(
              LayerSweepRow(
                donor: number == 0 ? .clean : .swappedSlots, positions: group, layer: layer,
                outcome: RowFixtures.outcome(
                  effect: effect + noise[episode + 16 * number], gap: 8)))
          }
        }
        try directory.append(
          RowFixtures.stored(
            LayerSweep.self, probe: probe, task: task, episode: episode, rows
          ).map(\.json))
      }
    }
    if finished { try directory.finish() } else { try directory.writeManifest() }
    return try RunRecord("\(folder)/\(name)")
  }

  private func removeFolder() { try? FileManager.default.removeItem(atPath: folder) }

  @Test func oneFamilyOverAllRuns() throws {
    defer { removeFolder() }
    let records = [
      try record("a", effect: 6), try record("b", task: "next", effect: 0.4, seed: 1),
    ]
    let report = try Report(records)
    let alone = try records.map { try Report([$0]) }
    let raw = alone.flatMap(\.claims).map(\.pValue)
    #expect(report.claims.count == 6 && raw.count == 6)
    // Claims keep their order, run by run and probe by probe.
    #expect(report.claims.map(\.pValue) == raw)
    #expect(
      report.claims.map(\.name) == [
        "sweep.answers-carry-rule", "sweep.answers-over-last", "other.more-than-label-copy",
        "sweep.answers-carry-rule", "sweep.answers-over-last", "other.more-than-label-copy",
      ])
    // Holm (1979): the smallest of six times six, the next times five, never falling, at most 1.
    var floor = 0.0
    for (rank, index) in raw.indices.sorted(by: { raw[$0] < raw[$1] }).enumerated() {
      floor = max(floor, min(1, Double(6 - rank) * raw[index]))
      #expect(abs(report.claims[index].adjustedPValue - floor) < 1e-12)
    }
    #expect(report.claims[0].adjustedPValue > alone[0].claims[0].adjustedPValue)
  }

  @Test func figuresCarryRunAndProbe() throws {
    defer { removeFolder() }
    let records = [try record("a"), try record("b", task: "next")]
    // Two runs of one name are told apart by their folders.
    let twice = try Report([records[0], try record("c")]).page.html
    #expect(
      twice.contains("T: small on tiny, a</h3>") && twice.contains("T: small on tiny, c</h3>"))
    let names = try Report(records).page.figures.map(\.name)
    #expect(names.count == 12 && Set(names).count == 12)
    #expect(names.contains("1-sweep-recovery-by-layer"))
    #expect(names.contains("1-other-recovery-by-layer"))
    #expect(names.contains("2-sweep-recovery-by-layer"))
    let single = try Report([records[0]]).page.figures.map(\.name)
    #expect(Set(single).count == 6 && single.contains("sweep-candidate-accuracy-by-layer"))
  }

  @Test func aFailedGateWithholdsAllSentences() throws {
    defer { removeFolder() }
    let next = try record("b", task: "next")
    let report = try Report([try record("a", right: 8), next])
    let (failed, passed) = (report.runs[0], report.runs[1])
    #expect(failed.gate?.passed == false && passed.gate?.passed == true)
    #expect(failed.claims.count == 3 && failed.claims.allSatisfy { $0.verdict == .undecided })
    #expect(failed.claims.allSatisfy { $0.pValue.isNaN && $0.effect == nil })
    #expect(
      failed.claims.allSatisfy { $0.evidence.hasPrefix("Not interpreted: The model does not") })
    #expect(failed.answer.count == 1 && failed.answer[0].hasSuffix("nothing below is interpreted."))
    #expect(passed.claims.contains { $0.verdict == .supported })
    // What was not tested does not count in the family.
    let alone = try Report([next])
    #expect(passed.claims.map(\.adjustedPValue) == alone.claims.map(\.adjustedPValue))
    #expect(!report.page.html.contains("nan"))
  }

  @Test func theTableOfClaimsSaysWhatRunsSay() throws {
    defer { removeFolder() }
    let report = try Report([
      try record("a"), try record("b", task: "next", right: 8),
    ])
    let table = report.claimsTable()
    #expect(table.contains("| small | yes, right in 1.00"))
    #expect(table.contains("| next | no, right in 0.50"))
    let own = try #require(table.components(separatedBy: "## 2. ").last)
      .components(separatedBy: "## 3. ")[0]
    let verdict = report.runs[0].verdict(on: .ownAnswerPosition)
    #expect(own.contains("| small | \(verdict.words): "))
    #expect(own.contains("| next | the model does not do the task |"))
    #expect(table.contains("## 4. ") && table.contains("No run tests it."))
    // By family where they are known, and by name within one.
    let grouped = report.claimsTable(families: ["small": "words", "next": "letters"])
    #expect(grouped.contains("| family | task | tiny |"))
    let lines = grouped.split(separator: "\n").filter { $0.contains(", right in ") }
    #expect(lines.map { $0.prefix(13) } == ["| letters | n", "| words | sma"])
  }

  @Test func aPagesTablesAreWrittenAnew() throws {
    defer { removeFolder() }
    let report = try Report([
      try record("a"), try record("b", task: "next", right: 8),
    ])
    let sentence = try #require(
      report.claims.first { $0.paperClaim != nil && $0.verdict == .supported })
    let claim = try #require(sentence.paperClaim)
    let path = "\(folder)/page.md"
    func fill(_ rows: String, _ page: String) throws -> String {
      try rows.write(toFile: "\(folder)/rows.json", atomically: true, encoding: .utf8)
      try page.write(toFile: path, atomically: true, encoding: .utf8)
      return try report.page(filling: path)
    }
    let page = "Before.\n<!-- sentences rows.json -->\nold\n<!-- end -->\nBehind.\n"
    func row(_ more: String, task: String = "small") -> String {
      #"{"label": "it", "task": "\#(task)", "sentence": "\#(sentence.name)"\#(more)}"#
    }
    let effect = #", "effect": true, "digits": 1"#
    let other = claim == 1 ? 2 : 1
    let filled = try fill(
      """
      {"models": {"tiny": "Tiny", "large": "Large"}, "rows": [
        {"heading": "**One**"}, \(row("")), \(row(effect)), \(row(", \"claim\": \(other)")),
        \(row(", \"claim\": \(claim)")), \(row("", task: "next")), \(row("", task: "third"))]}
      """, page)
    let found = try #require(sentence.effect)
    let shown = try #require(sentence.evidence.firstMatch(of: /[0-9.]+ \[[0-9.]+, [0-9.]+\]/))
      .output
    #expect(
      filled == """
        Before.
        <!-- sentences rows.json -->

        |  | Tiny | Large |
        | --- | --- | --- |
        | **One** |  |  |
        | it | ✓ \(shown) | not run |
        | it | ✓ \(found.text(digits: 1)) | not run |
        | it | (✓) \(shown) | not run |
        | it | ✓ \(shown) | not run |
        | it | gate not passed | not run |
        | it | not run | not run |

        <!-- end -->
        Behind.

        """)
    #expect(try fill("{\"models\": {}, \"rows\": []}", filled).contains("Behind."))
    for (rows, page, words) in [
      ("{}", "<!-- sentences rows.json -->\n", "page.md: the table of rows.json does not end"),
      ("{}", "Text.\n", "page.md: there is no table of sentences"),
      (
        "{\"models\": {}, \"rows\": [\(row(", \"interva\": 1"))]}", page,
        "rows.json, rows[0]: unknown key"
      ),
    ] {
      let error = #expect(throws: UserError.self) { _ = try fill(rows, page) }
      #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }
  }

  @Test func runsOfOneTaskAreOneCell() throws {
    defer { removeFolder() }
    let report = try Report([try record("a"), try record("c")])
    let claims = report.runs[0].verdict(on: .ownAnswerPosition).claims.count
    let own = try #require(report.claimsTable().components(separatedBy: "## 2. ").last)
      .components(separatedBy: "## 3. ")[0]
    #expect(claims > 0 && own.contains("| small | supported by \(2 * claims) of \(2 * claims): "))
    #expect(own.components(separatedBy: "| small |").count == 2)
    #expect(report.claimsTable().contains("- tiny, 1 task: "))
  }

  @Test func whatIsNotShownIsCorrectedAllTheSame() throws {
    defer { removeFolder() }
    let records = try ["a", "b", "c", "d", "e"].map {
      try record($0, task: $0 == "c" ? "next" : "small")
    }
    let all = try Report(records)
    let some = try Report(records, showing: ["next"])
    #expect(some.claims.map(\.adjustedPValue) == all.claims.map(\.adjustedPValue))
    #expect(some.page.figures.map(\.name).allSatisfy { $0.hasPrefix("3-") })
    #expect(some.page.figures.count == 6 && all.page.figures.count == 30)
    #expect(some.summary == all.summary && some.claimsTable() == all.claimsTable())
    let page = some.page.html
    #expect(page.contains("2 tasks on 1 model, 5 runs"))
    #expect(page.contains("of all 5 runs, 1 of them shown below,"))
    // The tables of claims have all of them.
    let verdict = all.runs[0].verdict(on: .ownAnswerPosition)
    #expect(page.contains("supported by \(4 * verdict.claims.count) of"))
    #expect(throws: UserError.self) { try Report(records, showing: ["nxt"]) }
  }

  @Test func withoutALayerThereAreNoSentences() throws {
    defer { removeFolder() }
    let report = try Report([try record("a", layer: "")])
    #expect(report.claims.isEmpty && report.page.figures.count == 6)
    #expect(report.sentences.rows.isEmpty)
    let columns = report.sentences.header.prefix(5)
    #expect(columns == ["run", "task", "model", "demonstrations", "name"])
    #expect(report.page.html.contains("The probe names no layer, so there are curves"))
    #expect(report.summary["runs"].items[0]["sections"].items[1]["chosen_layer"] == .null)
    // Nor where the episodes that choose it are missing.
    let choosing = try Report([
      try record(
        "b",
        layer: #", "layer": {"donor": "clean", "positions": "answers", "episodes": 2}"#)
    ])
    #expect(choosing.claims.isEmpty)
    #expect(
      choosing.page.html.contains("The development episodes that choose the layer are not all"))
  }

  @Test func unfinishedAndFailedRunsSaySo() throws {
    defer { removeFolder() }
    let unfinished = try record("a", finished: false)
    #expect(!unfinished.isFinished)
    let page = try Report([unfinished]).page.html
    #expect(page.contains("\(folder)/a</code> is not finished: figures are of the episodes"))
    let failed = try record("b", finished: false, failed: "a patched run differs by 5 logits")
    let report = try Report([failed])
    #expect(report.page.html.contains("is not to be trusted: a patched run differs by 5 logits"))
    #expect(report.claims.allSatisfy { $0.verdict == .undecided && $0.pValue.isNaN })
    #expect(report.summary["runs"].items[0]["failed"] == "a patched run differs by 5 logits")
    #expect(report.summary["runs"].items[0]["finished"] == false)
    let whole = try Report([try record("c")])
    #expect(!whole.page.html.contains("not finished"))
    #expect(whole.summary["runs"].items[0]["failed"] == .null)
  }

  /// The contract for scripts.
  @Test func summaryHoldsWhatScriptsRead() throws {
    defer { removeFolder() }
    let report = try Report([try record("a"), try record("b", task: "next", effect: 0.15, seed: 3)])
    let summary = try JSONValue(
      parsing: Data(report.summary.prettyText.utf8), place: "summary.json")
    let gates = summary["gate"].items
    #expect(gates.map { $0["task"] } == ["small", "next"])
    for gate in gates {
      #expect(gate["model"] == "tiny" && gate["passed"] == true)
      for key in ["estimate", "low", "high"] { #expect(gate["accuracy"][key] != .null) }
    }
    let claims = summary["claims"].items
    #expect(claims.count == 6)
    for claim in claims {
      #expect(["supported", "contradicted", "undecided"].contains(claim["verdict"]))
      for key in ["run", "task", "model", "name", "sentence", "p", "p_adjusted", "unit"] {
        #expect(claim[key] != .null, "\(key)")
      }
      for key in ["estimate", "low", "high"] { #expect(claim["effect"][key] != .null) }
      #expect(claim["episodes"] == 16)
      // The number is there, or null where the sentence is decided.
      #expect(claim.pairs.contains { $0.key == "episodes_to_decide" })
      #expect((claim["verdict"] == "undecided") || claim["episodes_to_decide"] == .null)
    }
    // From the clean run a copied label would do it, too.
    for claim in claims {
      let isFixed = claim["name"] == "other.more-than-label-copy"
      #expect(claim["paper_claim"] == (isFixed ? 2 : .null))
    }
    #expect(claims.contains { $0["verdict"] == "supported" && $0["run"] == .string("\(folder)/a") })
    let undecided = claims.filter { $0["verdict"] == "undecided" }
    #expect(
      undecided.contains {
        if case .integer(let n) = $0["episodes_to_decide"] { n > 16 } else { false }
      })
  }

  @Test func paperVerdicts() throws {
    defer { removeFolder() }
    let run = try #require(try Report([try record("a")]).runs.first)
    let own = run.verdict(on: .ownAnswerPosition)
    #expect(own.outcome == .supported && own.claims.count == 1 && own.headings == ["T"])
    #expect(run.verdict(on: .noGlobalVector).outcome == .notTested)
    let other = try #require(try Report([try record("b", effect: -6)]).runs.first)
    #expect(other.verdict(on: .ownAnswerPosition).outcome == .contradicted)
    #expect(other.answer.first == "The rule is not at the answer positions.")
    let unclear = try #require(try Report([try record("c", effect: 0)]).runs.first)
    #expect(unclear.verdict(on: .ownAnswerPosition).outcome == .undecided)
  }
}

extension JSONValue {
  fileprivate var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }
}
