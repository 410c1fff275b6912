import Foundation
import Testing

/// Every kind of experiment from the command line to the report, on a model without any sense: what is
/// checked is what is written, and that it can be repeated, not what it says.
@Suite(.timeLimit(.minutes(3))) struct LaboratoryCommandTests {
  let laboratory: TinyLaboratory
  private var scratch: Scratch { laboratory.scratch }
  private static let all = TinyLaboratory.probes.map(\.0)

  init() throws { laboratory = try TinyLaboratory() }

  @Test func everyExperimentRuns() throws {
    let result = try laboratory.patch(Self.all, out: "run", "--json", "--verify", "1000")
    let json = try JSON(result.out)
    #expect(json.keys.sorted() == ["rows", "run"] && json["run"]?.text == "run")
    let rows = try #require(json["rows"]).items
    // The contract for scripts: whatever the experiment.
    for row in rows {
      for key in ["probe", "positions", "layer", "metric", "mean", "low", "high", "n"] {
        #expect(row.keys.contains(key), "\(row.value.text)")
      }
      #expect(row["n"]?.whole == 2)
    }
    #expect(Set(rows.compactMap { $0["probe"]?.text }) == Set(Self.all + ["baseline"]))

    let manifest = try JSON(scratch.read("run/manifest.json"))
    #expect(manifest["finished"]?.text != nil)
    #expect(try #require(manifest["verification"]?["variants"]?.whole) > 10)
    #expect(try #require(manifest["verification"]?["largest_deviation"]?.number) < 1e-3)
    #expect(manifest["model_name"]?.text == "tiny")
    #expect(manifest["probes"]?.count == Self.all.count + 1)
    #expect(manifest["rows"]?["count"]?.whole == (try laboratory.lines("run").count))
    #expect(try laboratory.hasWholeUnits("run"))
    #expect(try JSON(scratch.read("run/examples.json")).count == 5)
    #expect(scratch.entries().allSatisfy { !$0.hasSuffix(".tmp") })

    try expectFlatRows("run")
    try expectReport("run")
  }

  @Test func furtherExperimentsRun() throws {
    let probes = TinyLaboratory.further.map(\.0)
    let result = try laboratory.patch(probes, out: "run", "--json", "--verify", "1000")
    let rows = try #require(try JSON(result.out)["rows"]).items
    #expect(Set(rows.compactMap { $0["probe"]?.text }) == Set(probes + ["baseline"]))
    for row in rows {
      for key in ["probe", "positions", "layer", "metric", "mean", "low", "high", "n"] {
        #expect(row.keys.contains(key), "\(row.value.text)")
      }
    }
    #expect(try laboratory.hasWholeUnits("run"))
    let summary = try JSON(try laboratory.succeed(["aggregate", "run", "--json"]).out)
    #expect(summary["runs"]?[0]?["sections"]?.count == probes.count + 1)
    let page = try scratch.read("reports/run/index.html")
    #expect(!page.contains(">nan") && !page.contains(">NaN"))
  }

  /// A model without any sense does not do the task, and is not patched on it.
  @Test func stopsAtTheGate() throws {
    let result = try laboratory.patch(["sweep"], out: "run", "--gate")
    #expect(result.err.contains("does not do") && result.err.contains("small"))
    let kinds = try laboratory.lines("run").map { try JSON(String($0))["experiment"]?.text }
    #expect(Set(kinds) == ["shot-curve"] && kinds.count == 2)
    // It is finished, for this command.
    let again = try laboratory.patch(["sweep"], out: "run", "--gate")
    #expect(again.err.contains("this run is finished"))
    let table = try laboratory.succeed(["aggregate", "run", "--claims", "claims.md"])
    #expect(table.status == 0)
    let text = try scratch.read("claims.md")
    #expect(text.contains("| task | tiny |") && text.contains("| small | no, right in"))
  }

  /// One object a line with the same envelope, of plain values only; a column is of one kind.
  private func expectFlatRows(_ folder: String) throws {
    var kinds: [String: Set<String>] = [:]
    var experiments: Set<String> = []
    for line in try laboratory.lines(folder) {
      let row = try JSON(String(line))
      #expect(
        row.keys.prefix(12) == [
          "format", "experiment", "version", "probe", "task", "model", "split", "episode", "unit",
          "unit_episode", "unit_part", "unit_rows",
        ])
      experiments.insert(row["experiment"]?.text ?? "")
      for key in row.keys {
        kinds[key, default: []].insert(try #require(row[key]?.value.kind))
      }
    }
    #expect(
      experiments == [
        "shot-curve", "layer-choice", "layer-sweep", "aggregation", "global-vector", "grid",
      ])
    let plain = ["null", "true or false", "a whole number", "a number", "a text"]
    for (key, found) in kinds {
      #expect(found.isSubset(of: plain), "\(key): \(found)")
      // A number may be whole by chance.
      let own = Set(found.map { $0 == "a whole number" ? "a number" : $0 }).subtracting(["null"])
      #expect(own.count <= 1, "\(key): \(found)")
    }
  }

  private func expectReport(_ folder: String) throws {
    let report = try laboratory.succeed(["aggregate", folder, "--json"])
    let summary = try JSON(report.out)
    #expect(try JSON(scratch.read("reports/run/summary.json")).value == summary.value)
    #expect(summary["gate"]?.count == 1)
    let gate = try #require(summary["gate"]?[0])
    #expect(gate["task"]?.text == "small" && gate["model"]?.text == "tiny")
    #expect(gate["accuracy"]?.keys == ["estimate", "low", "high"])
    // Two episodes pass no gate.
    #expect(gate["passed"]?.value == false)
    let claims = try #require(summary["claims"]).items
    #expect(claims.count > 15)
    for claim in claims {
      for key in ["paper_claim", "verdict", "p_adjusted", "effect", "episodes_to_decide"] {
        #expect(claim.keys.contains(key))
      }
      #expect(claim["verdict"]?.text == "undecided")
    }
    #expect(Set(claims.compactMap { $0["name"]?.text }).count == claims.count)
    let sections = try #require(summary["runs"]?[0]?["sections"]).items
    #expect(
      sections.compactMap { $0["probe"]?.text } == [
        "baseline", "curve", "sweep", "swapped", "pairs", "singles", "vector", "heads",
      ])
    let page = try scratch.read("reports/run/index.html")
    #expect(page.contains("Title of singles: small on tiny"))
    #expect(page.contains("nothing below is interpreted"))
    #expect(!page.contains(">nan<") && !page.contains("NaN"))
    let files = scratch.entries().filter { $0.hasPrefix("reports/run/") }
    let pictures = files.filter { $0.hasSuffix(".svg") }
    // A table for each, and the one of all sentences.
    #expect(pictures.count + 1 == files.count { $0.hasSuffix(".csv") } && pictures.count > 15)
    let sentences = try scratch.read("reports/run/sentences.csv")
    #expect(sentences.hasPrefix("run,task,model,demonstrations,name,topic,paper_claim,verdict,"))
    for claim in claims {
      #expect(sentences.contains("small,tiny,4,\(claim["name"]?.text ?? "-"),"))
    }
    // Probes of one kind keep their figures apart.
    for probe in ["sweep", "swapped"] {
      #expect(files.contains("reports/run/\(probe)-recovery-by-layer.svg"))
    }
    for name in pictures {
      let picture = try scratch.read(name)
      #expect(picture.hasPrefix("<svg") && picture.hasSuffix("</svg>\n"), "\(name)")
      let lines = try scratch.read(name.replacing(".svg", with: ".csv")).split(separator: "\n")
      #expect(lines.count > 1, "\(name)")
      let columns = lines[0].split(separator: ",", omittingEmptySubsequences: false).count
      #expect(columns > 1)
    }
  }

  /// A run that is killed inside a unit, anywhere, ends with the same bytes.
  @Test func finishesWhatWasCutInsideAUnit() throws {
    let first = try laboratory.patch(Self.all, out: "run", "--json")
    let whole = try scratch.read("run/rows.jsonl")
    let lines = try laboratory.lines("run")
    for cut in stride(from: 1, to: lines.count, by: lines.count / 6 + 1) {
      // Whole rows, and a piece of the next one.
      let kept = lines.prefix(cut).joined(separator: "\n") + "\n" + lines[cut].prefix(40)
      try scratch.write("run/rows.jsonl", kept)
      try laboratory.unfinish("run")
      let again = try laboratory.patch(Self.all, out: "run", "--json", "--threads", "1")
      #expect(again.out == first.out)
      #expect(try scratch.read("run/rows.jsonl") == whole)
    }
    // What is dropped is told.
    let grid = try #require(lines.lastIndex { $0.contains("\"experiment\": \"grid\"") })
    try scratch.write("run/rows.jsonl", lines.prefix(grid).joined(separator: "\n") + "\n")
    try laboratory.unfinish("run")
    let again = try laboratory.patch(Self.all, out: "run", "--json")
    #expect(again.err.contains("icl-probe: run: dropped "), "\(again.err)")
    #expect(again.err.contains("rows of a unit that was cut short"))
    #expect(try scratch.read("run/rows.jsonl") == whole)

    // A unit that is cut short between others was not left so by a crash.
    try scratch.write("run/rows.jsonl", lines.dropFirst().joined(separator: "\n") + "\n")
    try laboratory.unfinish("run")
    try Program.run(laboratory.arguments(Self.all, out: "run"), folder: scratch)
      .expectFailure(1, "run: rows of unfinished units lie between others", "--again")
  }

  @Test func theOrderOfProbesChangesNoRow() throws {
    _ = try laboratory.patch(Self.all, out: "one")
    _ = try laboratory.patch(Self.all.reversed(), out: "two")
    #expect(try laboratory.lines("one").sorted() == laboratory.lines("two").sorted())
    _ = try laboratory.patch(["swapped"], out: "three")
    let own = try laboratory.lines("one").filter { $0.contains("\"probe\": \"swapped\"") }
    #expect(try laboratory.lines("three").filter { $0.contains("\"probe\": \"swapped\"") } == own)
  }

  @Test func textNamesTheCommandThatReportsThisRun() throws {
    let result = try laboratory.patch(["sweep", "heads"], out: "my run")
    #expect(
      result.out.hasSuffix("Run: my run\nReport: icl-probe aggregate 'my run'\n"), "\(result.out)"
    )
    for part in ["sweep: recovery by layer", "recovery", "resid_pre", "accuracy, of two"] {
      #expect(result.out.contains(part), "\(result.out)")
    }
    // Finished already: the same again, without computing.
    let again = try laboratory.patch(["sweep", "heads"], out: "my run")
    #expect(again.err == "icl-probe: this run is finished; run with --again to repeat it\n")
    #expect(again.out.hasSuffix("icl-probe aggregate 'my run'\n"))
  }

  @Test func evaluatesAndAggregatesSeveralRuns() throws {
    let eval = ["eval", "--model", "tiny", "--task", "known", "--shots", "0,2", "--episodes", "20"]
    let json = try JSON(laboratory.succeed(eval + ["--out", "curve", "--json"]).out)
    let rows = try #require(json["rows"]).items
    #expect(rows.count == 8 && rows.allSatisfy { $0["n"]?.whole == 20 })
    #expect(Set(rows.compactMap { $0["shots"]?.whole }) == [0, 2])
    let lines = try laboratory.lines("curve")
    #expect(lines.count == 40 && Set(lines).count == 40)
    let text = try laboratory.succeed(eval)
    #expect(
      text.out.hasSuffix(
        "Run: runs/eval-known-001\nReport: icl-probe aggregate runs/eval-known-001\n"))

    _ = try laboratory.patch(["sweep"], out: "patched")
    let report = try laboratory.succeed(["aggregate", "patched", "curve", "--out", "both"])
    #expect(report.out.hasPrefix("Run: patched\nRun: curve\n"), "\(report.out)")
    #expect(report.out.hasSuffix("Report: both/index.html\n"))
    let files = scratch.entries().filter { $0.hasPrefix("both/") }
    #expect(files.contains("both/1-sweep-recovery-by-layer.svg"))
    #expect(files.contains("both/2-accuracy-accuracy-by-shots.csv"))
    let summary = try JSON(scratch.read("both/summary.json"))
    #expect(summary["gate"]?.items.compactMap { $0["task"]?.text } == ["small", "known"])
    #expect(summary["runs"]?.items.compactMap { $0["run"]?.text } == ["patched", "curve"])
    let page = try scratch.read("both/index.html")
    #expect(page.contains("small on tiny") && page.contains("known on tiny"))
  }

  /// Whoever names a run gets this one, and nothing else.
  @Test func aggregateTakesTheRunThatIsNamed() throws {
    _ = try laboratory.patch(["sweep"], out: "runs/small-001")
    _ = try laboratory.patch(["swapped"], out: "other")
    let named = try JSON(laboratory.succeed(["aggregate", "other", "--json"]).out)
    #expect(named["runs"]?.items.compactMap { $0["run"]?.text } == ["other"])
    let latest = try JSON(laboratory.succeed(["aggregate", "--json"]).out)
    #expect(latest["runs"]?.items.compactMap { $0["run"]?.text } == ["runs/small-001"])
    try Program.run(["aggregate", "none"], folder: scratch)
      .expectFailure(1, "none: the folder holds no run")
    // Shortened behind its back.
    let lines = try laboratory.lines("other")
    try scratch.write("other/rows.jsonl", lines.dropLast(2).joined(separator: "\n") + "\n")
    try Program.run(["aggregate", "other"], folder: scratch)
      .expectFailure(1, "other: the run is finished, but rows.jsonl holds", "patch --model tiny")
    try scratch.write("other/rows.jsonl", "")
    try Program.run(["aggregate", "other"], folder: scratch)
      .expectFailure(1, "other: the run is finished, but rows.jsonl holds 0 of")
    // An unfinished one is reported as what it is.
    try scratch.write("other/rows.jsonl", lines.dropLast(2).joined(separator: "\n") + "\n")
    try laboratory.unfinish("other")
    let text = try laboratory.succeed(["aggregate", "other"])
    #expect(text.out.hasPrefix("Run: other (unfinished)\n"))
    #expect(try scratch.read("reports/other/index.html").contains("is not finished: figures are"))
  }

  /// What a task does not have is known before anything is computed.
  @Test(arguments: [
    ("small", 10, "sweep", "tasks/small.json, classes.", "found 5 development items, needed are 6"),
    ("small", 12, "vector", "tasks/small.json", "needed are"),
    ("known", 6, "vector", "tasks/known.json, dummies", "found 10 dummies, needed are 12"),
    ("small", 30, "curve", "tasks/small.json, classes.", "found 10 held-out items, needed are"),
  ])
  func itemsThatDoNotSuffice(
    task: String, shots: Int, probe: String, place: String, problem: String
  ) throws {
    let result = try Program.run(
      laboratory.arguments([probe], out: "run", task: task, shots: shots), folder: scratch)
    result.expectFailure(1, place, problem, "use fewer demonstrations or add")
    // Not even the unpatched prompts were run.
    #expect(try !scratch.entries().contains("run/rows.jsonl") || laboratory.lines("run").isEmpty)
  }

  @Test func mappingsSkipWhatNeedsAFlippedRule() throws {
    let arguments = laboratory.arguments(
      ["sweep", "pairs", "vector", "heads"], out: "run", task: "known")
    let result = try laboratory.succeed(arguments + ["--json"])
    for probe in ["sweep", "pairs"] {
      #expect(
        result.err.contains("icl-probe: skipping \(probe): a mapping has no other rule"),
        "\(result.err)")
    }
    let probes = try Set(JSON(result.out)["rows"]?.items.compactMap { $0["probe"]?.text } ?? [])
    #expect(probes == ["baseline", "vector", "heads"])
    let summary = try JSON(laboratory.succeed(["aggregate", "run", "--json"]).out)
    #expect(summary["claims"]?.items.allSatisfy { $0["task"]?.text == "known" } == true)
  }

  private static let pairs = [
    #"{"clean": "Ti met Jo, and Ti gave", "corrupted": "Ti met Jo, and Jo gave", "right": " Jo", "wrong": " Ti"}"#,
    #"{"clean": "Xu met Li, and Xu gave", "corrupted": "Xu met Li, and Li gave", "right": " Li", "wrong": " Xu"}"#,
  ]

  private func patchPairs(_ file: String, _ probes: [String], _ more: String...) -> [String] {
    ["patch", "--model", "tiny", "--pairs", file] + probes.flatMap { ["--probe", $0] } + more
  }

  @Test func patchesPairsOfPrompts() throws {
    try scratch.write("mine.jsonl", Self.pairs.joined(separator: "\n") + "\n")
    let json = try JSON(
      laboratory.succeed(patchPairs("mine.jsonl", ["heads"], "--out", "run", "--json")).out)
    let rows = try #require(json["rows"]).items
    for row in rows {
      for key in ["probe", "positions", "layer", "metric", "mean", "low", "high", "n"] {
        #expect(row.keys.contains(key))
      }
      #expect(row["task"]?.text == "mine" && row["n"]?.whole == 2)
    }
    // Two layers of 22 positions, six heads, six heads.
    let sites = Dictionary(grouping: rows) { $0["site"]?.text ?? "" }.mapValues(\.count)
    #expect(sites["z"] == 12 && sites["pattern"] == 12 && sites["resid_pre"] == 44)
    // Before the prompts part there is nothing to bring: no effect at all.
    let first = try #require(rows.first { $0["site"]?.text == "resid_pre" })
    #expect(abs(try #require(first["mean"]?.number)) < 0.01)
    #expect(try laboratory.hasWholeUnits("run"))
    let report = try laboratory.succeed(["aggregate", "run", "--json"])
    #expect(try JSON(report.out)["gate"]?.count == 0)
    #expect(scratch.entries().contains("reports/run/heads-resid_pre-by-position.svg"))
    // Of the pairs, the first N.
    let one = try JSON(
      laboratory.succeed(
        patchPairs("mine.jsonl", ["heads"], "--out", "one", "--json", "--episodes", "1")
      ).out)
    #expect(one["rows"]?[0]?["n"]?.whole == 1)
    // One prompt bounds nothing.
    #expect(one["rows"]?[0]?["low"]?.value == .null && one["rows"]?[0]?["high"]?.value == .null)
  }

  @Test func pairsThatDoNotFit() throws {
    func refuse(
      _ second: String, probes: [String] = ["heads"], more: [String] = [], status: Int32 = 1,
      saying parts: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      try scratch.write("mine.jsonl", "\(Self.pairs[0])\n\n\(second)\n")
      let result = try Program.run(
        patchPairs("mine.jsonl", probes, "--out", "run") + more, folder: scratch)
      for part in parts { result.expectFailure(status, part, sourceLocation: sourceLocation) }
      #expect(
        try !scratch.entries().contains("run/rows.jsonl") || laboratory.lines("run").isEmpty)
    }
    try refuse(
      Self.pairs[1].replacing("and Li", with: "and Lia"),
      saying:
        "mine.jsonl:3: the clean prompt has 22 tokens, the corrupted one 23",
      "they part at token 15, \"X\" and \"L\"", "reword one of them")
    try refuse(
      Self.pairs[1].replacing("\" Xu\"", with: "\" Li\""),
      saying: "mine.jsonl:3: both answers are the same"
    )
    try refuse(
      Self.pairs[1].replacing("\" Xu\"", with: "\"\""),
      saying: "mine.jsonl:3, wrong: the text is empty")
    try refuse(
      Self.pairs[1].replacing("\"wrong\"", with: "\"worng\""), saying: "mine.jsonl:3",
      "unknown key \"worng\"")
    try refuse("{\"clean\": ", saying: "mine.jsonl:3: not valid JSON")
    try refuse(
      Self.pairs[1].replacing("\" Xu\"", with: "\" Liz\""),
      saying:
        "mine.jsonl:3: one answer's tokens are the beginning of the other's")
    try refuse(
      Self.pairs[1], probes: ["sweep"],
      saying:
        "mine: there is nothing to run: sweep: pairs of prompts have no episodes; use a grid")
    try refuse(
      Self.pairs[1], probes: [], status: 2, saying: "--pairs needs a probe; add --probe grid")
    try refuse(
      Self.pairs[1], more: ["--task", "small"], status: 2,
      saying: "--task does nothing with --pairs")
    try laboratory.probe(
      "roles", #""experiment": "grid", "sites": [{"site": "resid_pre", "by": "role"}]"#)
    try refuse(Self.pairs[1], probes: ["roles"], saying: "mine: pairs of prompts have no roles")
    try Program.run(patchPairs("none.jsonl", ["heads"]), folder: scratch)
      .expectFailure(1, "none.jsonl: cannot be read")
    try scratch.write("empty.jsonl", "\n")
    try Program.run(patchPairs("empty.jsonl", ["heads"]), folder: scratch)
      .expectFailure(1, "empty.jsonl: the file holds no pairs")
  }

  @Test func probesThatDoNotFit() throws {
    try FileManager.default.createDirectory(
      atPath: scratch.file("mine"), withIntermediateDirectories: true)
    try scratch.write("mine/sweep.json", scratch.read("probes/sweep.json"))
    for second in ["sweep", "probes/sweep.json", "mine/sweep.json"] {
      try Program.run(laboratory.arguments(["sweep", second], out: "run"), folder: scratch)
        .expectFailure(2, "two probes are called \"sweep\"; name each probe once")
    }
    try laboratory.probe("deep", #""experiment": "grid", "sites": ["z"], "layers": [3]"#)
    try Program.run(laboratory.arguments(["deep"], out: "run"), folder: scratch)
      .expectFailure(1, "probe deep: layer 3 is out of range; the model has layers 0 to 2")
    try laboratory.probe("wrong", #""experiment": "layer-sweep", "donors": "clean""#)
    try Program.run(laboratory.arguments(["wrong"], out: "run"), folder: scratch)
      .expectFailure(1, "probes/wrong.json: the key \"donor\" is missing")
    try laboratory.probe(
      "lost", #""experiment": "global-vector", "donors": 2, "controls": ["nowhere"]"#)
    try Program.run(laboratory.arguments(["lost"], out: "run"), folder: scratch)
      .expectFailure(1, "there is no task or family \"nowhere\"")
    #expect(!scratch.entries().contains { $0.hasPrefix("run") })
  }
}
