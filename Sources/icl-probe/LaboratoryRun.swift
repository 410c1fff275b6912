import Foundation
import Reports
import RuleVectors
import Synchronization
import TensorCore
import Terminal
import Transformer

/// A run of probes on one subject, from its folder to its figures: what `patch` and `eval` share.
struct LaboratoryRun {
  /// `patch` or `eval`.
  let kind: String
  /// What the run's folder is called below `runs`.
  let name: String
  let subject: Subject
  let probes: [Probe]
  let episodes: Int
  let demonstrations: Int
  let verifications: Int
  /// Held-out items, or development items for a pilot.
  var split = Split.heldOut
  /// Whether nothing is patched where the model does not do the task.
  var stopsAtGate = false

  /// A run that can be carried out: everything that it draws has been drawn once.
  struct Prepared {
    fileprivate let run: LaboratoryRun
    /// All of it, or a share.
    let plan: RunPlan
    fileprivate let shard: Shard
    let laboratory: Laboratory
    fileprivate let tasks: FoundTasks

    /// - Parameter out: the run's folder; nil for a numbered one.
    func callAsFunction(_ parsed: ParsedCommand, out: String?) throws -> Outcome {
      try run.carryOut(self, parsed, out: out)
    }
  }

  /// A finished run.
  struct Outcome {
    let path: String
    let task: String
    let shard: Shard
    /// What its probes found, for scripts.
    let rows: [JSONValue]

    /// A share has no rows for scripts before it is merged with the others.
    var json: JSONValue {
      .object(
        [("task", .string(task)), ("run", .string(path)), ("rows", .array(rows))]
          + (shard.isWhole ? [] : [("shard", .string(shard.description))]))
    }
  }

  static func reportCommand(_ paths: [String]) -> String {
    ShellWord.line(["icl-probe", "aggregate"] + paths)
  }

  /// One run by itself.
  func callAsFunction(_ parsed: ParsedCommand) throws {
    let shard = try CommonOptions.shard(parsed)
    let outcome = try prepare(parsed, CommonOptions.engine(parsed), shard)(
      parsed, out: parsed.string("out"))
    if parsed.flag("json") {
      CommonOptions.print(.object(outcome.json.pairs.filter { $0.key != "task" }))
    } else {
      print("Report: \(Self.reportCommand([outcome.path]))")
    }
  }

  /// Plans the run and draws what it will draw.
  ///
  /// - Throws: `UserError` for what cannot be run, before there is a folder.
  func prepare(
    _ parsed: ParsedCommand, _ engine: Engine, _ shard: Shard = .whole
  ) throws -> Prepared {
    let laboratory = Laboratory(
      engine: engine, seed: try CommonOptions.seed(parsed), demonstrations: demonstrations,
      beginToken: try CommonOptions.beginToken(parsed, engine.model))
    let tokens = try laboratory.typicalTokens(subject)
    let tasks = FoundTasks(folder: try DataFolders.tasks(), subject)
    let setting = Setting(
      subject: subject, episodes: episodes, split: split, demonstrations: demonstrations,
      architecture: engine.model.architecture, tokenizer: engine.model.tokenizer,
      tokens: tokens,
      findTask: { try tasks.find($0) })
    let plan = try RunPlan(probes, setting)
    guard !plan.units.isEmpty else {
      let reasons = plan.skipped.map { "\($0.probe): \($0.reason)" }
      throw UserError(
        "there is nothing to run: " + reasons.joined(separator: "; "), at: subject.name,
        remedy: "choose other probes with --probe, or another task")
    }
    for task in tasks.all { CommonOptions.warn(about: task) }
    let share = plan.share(shard) { stopsAtGate && isOfGate($0) }
    // All of it, so that no share begins what another finds impossible.
    try plan.check(laboratory)
    return Prepared(
      run: self, plan: share, shard: shard, laboratory: laboratory, tasks: tasks)
  }

  private func carryOut(_ prepared: Prepared, _ parsed: ParsedCommand, out: String?) throws
    -> Outcome
  {
    let laboratory = prepared.laboratory
    let model = laboratory.engine.model.name
    let directory = try RunDirectory.open(
      root: "runs", name: name,
      identity: try identity(
        prepared.tasks, laboratory.engine, seed: laboratory.seed,
        beginToken: laboratory.beginToken),
      rowsFile: RunRecord.rowsFile, shard: prepared.shard, path: out, again: parsed.flag("again"))
    directory.notes.forEach(Notes.write)
    var rows = try known(in: directory)
    let isQuiet = parsed.flag("json")
    if directory.state == .complete {
      Notes.write(
        directory.shard.isWhole
          ? "this run is finished; run with --again to repeat it"
          : "share \(directory.shard) of this run is finished")
      if !isQuiet, directory.shard.isWhole {
        for probe in probes { try show(probe, rows, model) }
      }
    } else {
      rows = try carryOut(prepared.plan, laboratory, directory, rows, model, parsed)
    }
    if !isQuiet { print("Run: \(directory.path)") }
    let results =
      try isQuiet && directory.shard.isWhole
      ? probes.flatMap {
        try $0.section(of: rows, task: subject.name, model: model)?.results ?? []
      } : []
    return Outcome(
      path: directory.path, task: subject.name, shard: directory.shard,
      rows: results.map(JSONValue.object))
  }

  /// The rows of whole units; what a crash left of another is dropped.
  private func known(in directory: RunDirectory) throws -> [StoredRow] {
    var stored: [StoredRow] = []
    try directory.forEachRow { stored.append(try StoredRow($0)) }
    let (rows, cut) = stored.wholeUnits
    guard cut > 0 else { return rows }
    guard stored.suffix(cut).allSatisfy({ row in !rows.contains { $0.key == row.key } }),
      stored.dropLast(cut).count == rows.count
    else {
      throw UserError(
        "rows of unfinished units lie between others: the file was changed", at: directory.path,
        remedy: "start anew with --again")
    }
    try directory.keepRows(rows.count)
    Notes.write("\(directory.path): dropped \(cut) rows of a unit that was cut short")
    return rows
  }

  private func identity(
    _ tasks: FoundTasks, _ engine: Engine, seed: UInt64, beginToken: Int?
  ) throws -> JSONValue {
    let others = tasks.all.filter { $0.name != subject.name }
    return [
      "kind": .string(kind), "format": .string(subject.format), "version": .string(Main.version),
      "arithmetic": Machine.arithmetic, "task": .string(subject.name),
      "tasks": .object(
        [(subject.name, .string(subject.digest))]
          + others.map { ($0.name, .string($0.digest)) }),
      "probes": .object(probes.map { ($0.name, .string($0.definitionDigest)) }),
      "model": .string(try engine.model.digest(by: ModelStore().digests)),
      "episodes": .integer(episodes),
      "split": .string(split.rawValue), "shots": .integer(demonstrations),
      "seed": .integer(Int(seed)),
      "begin_token": beginToken.map(JSONValue.integer) ?? .null,
      "stops_at_gate": .bool(stopsAtGate),
    ]
  }

  /// - Returns: all rows, the known ones first.
  private func carryOut(
    _ plan: RunPlan, _ laboratory: Laboratory, _ directory: RunDirectory, _ known: [StoredRow],
    _ model: String, _ parsed: ParsedCommand
  ) throws -> [StoredRow] {
    for (probe, reason) in plan.skipped { Notes.write("skipping \(probe): \(reason)") }
    RunManifest.begin(directory, engine: laboratory.engine)
    directory.set("model_name", .string(model))
    directory.set("probes", .array(probes.map(\.definition)))
    directory.set("failed", .null)
    directory.set("bos", .string(parsed.string("bos") ?? BeginTokenChoice.auto.rawValue))
    try directory.writeManifest()
    try directory.log("\(RunManifest.now()) \(known.isEmpty ? "started" : "resumed")")
    let examples = try laboratory.examplePrompts(subject)
    try Files.write(
      Data(JSONValue.array(examples.map(\.json)).prettyText.utf8),
      to: directory.path + "/examples.json")
    laboratory.store = ActivationStore(run: directory.path)
    let progress = Progress()
    // An error's line must not end up on the bar's.
    defer { progress.finish() }
    let before = try RunManifest.verification(in: directory)
    var verified = before
    try requireExact(before, directory)
    var rows = known
    var left: [String: Int] = [:]
    for unit in plan.units { left[unit.key.probe, default: 0] += 1 }
    Interruption.watch()
    laboratory.watch = { try stopIfAsked(directory) }
    var ungated = plan.units.count(where: isOfGate)
    let runner = Runner(
      plan: plan, laboratory: laboratory, model: model, verifications: verifications)
    do {
      try runner(
        known: known, others: SharedRows(directory.otherRows, for: plan),
        append: { fresh in
          // Before the rows: a unit that has them is not verified again.
          let found = before.adding(laboratory.verified)
          if found != verified {
            verified = found
            RunManifest.verify(directory, found)
            try directory.writeManifest()
            try requireExact(found, directory)
          }
          try directory.append(fresh.map(\.json))
          rows += fresh
        },
        watch: { status in
          progress.update(done: status.done, total: status.total, label: status.label)
          left[status.key.probe, default: 1] -= 1
          if left[status.key.probe] == 0, directory.shard.isWhole, !parsed.flag("json"),
            let probe = probes.first(where: { $0.name == status.key.probe })
          {
            progress.breakLine()
            try show(probe, rows, model)
          }
          try stopIfAsked(directory)
          if stopsAtGate, plan.units.contains(where: { $0.key == status.key && isOfGate($0) }) {
            ungated -= 1
            if ungated == 0 { try requireGate(rows) }
          }
        })
    } catch let failure as GateFailure {
      progress.breakLine()
      Notes.write(failure.sentence)
      directory.set("stopped_at_gate", .string(failure.sentence))
      try directory.log("\(RunManifest.now()) stopped at the gate")
    }
    let present = Set(rows.map(\.key))
    try directory.finish(units: plan.own.filter(present.contains).map(\.description))
    try directory.log("\(RunManifest.now()) finished")
    if !directory.shard.isWhole {
      progress.breakLine()
      Notes.write("share \(directory.shard) is finished: \(plan.own.count) of \(plan.count) units")
    }
    return rows
  }

  /// Whether a unit measures unpatched prompts of the run's own task.
  private func isOfGate(_ unit: RuleVectors.Unit) -> Bool {
    unit.experiment == Gate.experiment && unit.key.task == subject.name
  }

  /// Why a run patches nothing.
  private struct GateFailure: Error {
    let sentence: String
  }

  private func requireGate(_ rows: [StoredRow]) throws {
    if let gate = try Gate(rows, task: subject.name, demonstrations: demonstrations), !gate.passed {
      throw GateFailure(
        sentence:
          "the model does not do \(subject.name) better than \(gate.chanceWords), so nothing is patched"
      )
    }
  }

  /// - Throws: `UserError` where a variant that was run again in full came out otherwise.
  private func requireExact(_ verified: Verification, _ directory: RunDirectory) throws {
    guard let problem = verified.problem else { return }
    directory.set("failed", .string(problem))
    try directory.writeManifest()
    throw UserError(
      problem, at: directory.path,
      remedy: "the run's numbers are not to be trusted; report this with its manifest.json")
  }

  private func stopIfAsked(_ directory: RunDirectory) throws {
    guard Interruption.isRequested else { return }
    try directory.writeManifest()
    try directory.log("\(RunManifest.now()) stopped")
    try Interruption.check()
  }

  private func show(_ probe: Probe, _ rows: [StoredRow], _ model: String) throws {
    guard let section = try probe.section(of: rows, task: subject.name, model: model) else {
      return
    }
    let text = section.text(device: .standardOutput)
    if !text.isEmpty { print(text) }
    fflush(nil)
  }
}

/// The tasks of a run: its own, and those that its probes name.
private final class FoundTasks: Sendable {
  private let folder: String
  private let tasks: Mutex<[RuleTask]>

  init(folder: String, _ subject: Subject) {
    self.folder = folder
    if case .task(let task) = subject { tasks = Mutex([task]) } else { tasks = Mutex([]) }
  }

  /// A task by its name or path; each is read once.
  func find(_ name: String) throws -> RuleTask {
    let found = try RuleTask(named: name, in: folder)
    tasks.withLock { if !$0.contains(found) { $0.append(found) } }
    return found
  }

  var all: [RuleTask] { tasks.withLock { $0 } }
}

/// Remarks on standard error.
enum Notes {
  static func write(_ line: String) {
    // What cannot be said is no reason to stop.
    try? FileHandle.standardError.write(contentsOf: Data("icl-probe: \(line)\n".utf8))
  }
}
