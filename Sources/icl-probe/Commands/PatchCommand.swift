import Foundation
import Reports
import RuleVectors
import TensorCore
import Terminal
import Transformer

/// `icl-probe patch`: runs the probes on a task.
enum PatchCommand: Command {
  static let specification = CommandSpecification(
    name: "patch", summary: "Patch activations and measure what becomes of the answer.",
    discussion: """
      Runs the experiments of probes/ on a task: the donor is the clean run, the recipient the same \
      prompt under the flipped rule. Results go to runs/TASK-NUMBER; the same command finishes a run \
      that was stopped.
      """,
    options: [
      CommonOptions.task,
      OptionSpecification(
        long: "probe", valueName: "NAME", help: "Probe by name or path; may be repeated.",
        defaultText: "all", repeats: true),
      CommonOptions.model,
      OptionSpecification(
        long: "episodes", valueName: "N", help: "Held-out episodes.", defaultText: "32"),
      OptionSpecification(
        long: "shots", valueName: "N", help: "Demonstrations of an episode.", defaultText: "12"),
      CommonOptions.seed, CommonOptions.threads, CommonOptions.memory,
      OptionSpecification(
        long: "verify", valueName: "N",
        help: "Variants to run again in full; the largest deviation is recorded.",
        defaultText: "6"),
      CommonOptions.out,
      OptionSpecification(long: "again", help: "Start anew even if this run is finished."),
      CommonOptions.json,
    ],
    examples: [
      CommandExample(line: "icl-probe patch --task multi-demo-rule", comment: "all probes"),
      CommandExample(
        line: "icl-probe patch --probe positions --episodes 8", comment: "a quick look"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let task = try CommonOptions.loadTask(parsed)
    let folder = try DataFolders.probes()
    let names = parsed.strings("probe")
    let probes = try (names.isEmpty ? Probe.names(in: folder) : names).map {
      try Probe(named: $0, in: folder)
    }
    let episodes = try parsed.integer("episodes", in: 1...100_000) ?? 32
    let demonstrations = try parsed.integer("shots", in: 2...1000) ?? 12
    let verifications = try parsed.integer("verify", in: 0...100_000) ?? 6
    let seed = try CommonOptions.seed(parsed)
    let engine = try CommonOptions.engine(parsed)
    let laboratory = Laboratory(engine: engine, seed: seed, demonstrations: demonstrations)
    let sample = try laboratory.samplePrompt(task)
    var tasks = [task]
    let plan = try PatchPlan(
      task: task, probes: probes, episodes: episodes, demonstrations: demonstrations,
      architecture: engine.model.architecture, tokens: sample.tokens.count,
      controls: { name in
        let control = try RuleTask(named: name, in: DataFolders.tasks())
        tasks.append(control)
        return control
      })

    let directory = try RunDirectory.open(
      root: "runs", name: task.name,
      identity: [
        "kind": "patch", "version": .string(Main.version), "arithmetic": Machine.arithmetic,
        "task": .string(task.name),
        "tasks": .object(tasks.map { ($0.name, .string($0.digest)) }),
        "probes": .object(probes.map { ($0.name, .string($0.digest)) }),
        "model": .string(try engine.model.digest()),
        "episodes": .integer(episodes), "shots": .integer(demonstrations),
        "seed": .integer(Int(seed)), "rows": .integer(engine.rowBudget),
      ],
      rowsFile: "effects.jsonl", path: parsed.string("out"), again: parsed.flag("again"))
    directory.notes.forEach(note)
    let known = try directory.rows.map { try Effect($0) }
    if directory.state == .complete {
      note("this run is finished; run with --again to repeat it")
    } else {
      try carryOut(
        plan, laboratory, directory, known, verifications, probes,
        try laboratory.examplePrompts(task))
    }
    let effects = try RunRecord.lines(directory.path + "/effects.jsonl").map { try Effect($0) }
    let summary = PatchSummary(effects, task: task.name)
    if parsed.flag("json") {
      CommonOptions.print(summary.json(run: directory.path))
    } else {
      print(summary.text(device: .standardOutput))
      print("Run: \(directory.path)    Report: icl-probe aggregate")
    }
  }

  private static func carryOut(
    _ plan: PatchPlan, _ laboratory: Laboratory, _ directory: RunDirectory, _ known: [Effect],
    _ verifications: Int, _ probes: [Probe], _ examples: [ExamplePrompt]
  ) throws {
    let engine = laboratory.engine
    for (probe, reason) in plan.skipped { note("skipping \(probe): \(reason)") }
    RunManifest.begin(directory, engine: engine)
    directory.set(
      "probes",
      .object(
        probes.map {
          ($0.name, ["title": .string($0.title), "question": .string($0.question)])
        }))
    try directory.writeManifest()
    try directory.log("\(RunManifest.now()) \(known.isEmpty ? "started" : "resumed")")
    try Files.write(
      Data(JSONValue.array(examples.map(\.json)).prettyText.utf8),
      to: directory.path + "/examples.json")
    Interruption.watch()
    let progress = Progress()
    // An error's line must not end up on the bar's.
    defer { progress.finish() }
    let before = try RunManifest.verification(in: directory)
    try PatchRun(plan: plan, laboratory: laboratory, verifications: verifications)(
      known: known,
      append: { rows in try directory.append(rows.map(\.json)) },
      watch: { status in
        progress.update(done: status.done, total: status.total, label: status.label)
        if status.verifiedVariants > 0 {
          RunManifest.verify(
            directory, variants: before.variants + status.verifiedVariants,
            largest: max(before.largest, status.largestDeviation))
        }
        if status.done < status.total, Interruption.isRequested {
          try directory.writeManifest()
          try Interruption.check()
        }
      })
    try directory.finish()
    try directory.log("\(RunManifest.now()) finished")
  }

  static func note(_ line: String) {
    FileHandle.standardError.write(Data("icl-probe: \(line)\n".utf8))
  }
}
