import RuleVectors
import TensorCore
import Terminal

/// `icl-probe eval`: accuracy against the number of demonstrations.
enum EvalCommand: Command {
  static let specification = CommandSpecification(
    name: "eval", summary: "Measure accuracy against the number of demonstrations.",
    discussion: """
      Every episode is asked with each number of demonstrations; rule and query stay the same. \
      Results go to runs/eval-TASK-NUMBER; the same command finishes a run that was stopped. Of a \
      family every task has a run of its own; with --out they are folders of that one.
      """,
    options: [
      CommonOptions.task, CommonOptions.format, CommonOptions.model,
      OptionSpecification(
        long: "shots", valueName: "LIST", help: "Numbers of demonstrations.",
        defaultText: "0,1,2,4,8,12,16"),
      OptionSpecification(
        long: "episodes", valueName: "N", help: "Held-out episodes.", defaultText: "64"),
      CommonOptions.seed, CommonOptions.bos, CommonOptions.threads, CommonOptions.memory,
      CommonOptions.shard, CommonOptions.out,
      OptionSpecification(long: "again", help: "Start anew even if this run is finished."),
      CommonOptions.json,
    ],
    examples: [
      CommandExample(line: "icl-probe eval --task multi-demo-rule", comment: "the curve"),
      CommandExample(
        line: "icl-probe eval --task country-capital --shots 0,1,2,4 --episodes 100",
        comment: "a knowledge task"),
      CommandExample(
        line: "icl-probe eval --task letters --format question", comment: "a family of tasks"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let tasks = try CommonOptions.tasks(parsed)
    let shots = try parsed.integers("shots", in: 0...1000) ?? [0, 1, 2, 4, 8, 12, 16]
    guard !shots.isEmpty, Set(shots).count == shots.count else {
      throw UserError("--shots names a number twice", remedy: "name each once", status: .usage)
    }
    let episodes = try parsed.integer("episodes", in: 1...100_000) ?? 64
    let probe = try Probe.accuracy(shots: shots)
    try TaskRuns(selection: tasks) { task in
      LaboratoryRun(
        kind: "eval", name: "eval-\(task.name)", subject: .task(task), probes: [probe],
        episodes: episodes, demonstrations: shots.max() ?? 0, verifications: 0)
    }(parsed)
  }
}
