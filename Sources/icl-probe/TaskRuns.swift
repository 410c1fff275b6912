import Reports
import RuleVectors
import TensorCore
import Terminal

/// Runs on one task, or one after another on each task of a family: each in a folder of its own.
struct TaskRuns {
  let selection: TaskSelection
  /// What is run on a task.
  let run: (RuleTask) throws -> LaboratoryRun

  func callAsFunction(_ parsed: ParsedCommand) throws {
    guard selection.isFamily else {
      let run = try run(selection.load(selection.entries[0]))
      try run(parsed)
      return
    }
    let shard = try CommonOptions.shard(parsed)
    var outcomes: [LaboratoryRun.Outcome] = []
    let skipped = try forEach(parsed, shard) { name, prepared in
      outcomes.append(try prepared(parsed, out: parsed.string("out").map { "\($0)/\(name)" }))
    }
    if parsed.flag("json") {
      CommonOptions.print([
        "runs": .array(outcomes.map(\.json)),
        "skipped": .array(
          skipped.map { ["task": .string($0.task), "reason": .string($0.reason)] }),
      ])
    } else {
      for (task, reason) in skipped { print("Skipped: \(task) (\(reason))") }
      print("Report: \(LaboratoryRun.reportCommand(outcomes.map(\.path)))")
    }
  }

  /// Prepares the run of each task in turn.
  ///
  /// - Returns: tasks that cannot be run, and why.
  /// - Throws: what `body` throws, and `UserError` where no task can be run.
  func forEach(
    _ parsed: ParsedCommand, _ shard: Shard,
    _ body: (_ name: String, LaboratoryRun.Prepared) throws -> Void
  ) throws -> [(task: String, reason: String)] {
    let engine = try CommonOptions.engine(parsed)
    var skipped: [(task: String, reason: String)] = []
    for (number, entry) in selection.entries.enumerated() {
      if selection.isFamily {
        Notes.write("task \(number + 1) of \(selection.entries.count): \(entry.name)")
      }
      let prepared: LaboratoryRun.Prepared
      do {
        let run = try run(selection.load(entry))
        prepared = try run.prepare(parsed, engine, shard)
      } catch let error as UserError where error.status == .failed && selection.isFamily {
        Notes.write("skipping \(entry.name): \(error)")
        skipped.append((entry.name, error.description))
        continue
      }
      try body(entry.name, prepared)
    }
    guard skipped.count < selection.entries.count else {
      throw UserError(
        "none of the \(skipped.count) tasks can be run", remedy: "see the reasons above")
    }
    return skipped
  }
}
