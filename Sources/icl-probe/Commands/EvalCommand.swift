import Reports
import RuleVectors
import TensorCore
import Terminal
import Transformer

/// `icl-probe eval`: accuracy against the number of demonstrations.
enum EvalCommand: Command {
  static let specification = CommandSpecification(
    name: "eval", summary: "Measure accuracy against the number of demonstrations.",
    discussion: """
      Every episode is asked with each number of demonstrations; rule and query stay the same. \
      Results go to runs/eval-TASK-NUMBER; the same command finishes a run that was stopped.
      """,
    options: [
      CommonOptions.task, CommonOptions.model,
      OptionSpecification(
        long: "shots", valueName: "LIST", help: "Numbers of demonstrations.",
        defaultText: "0,1,2,4,8,12,16"),
      OptionSpecification(
        long: "episodes", valueName: "N", help: "Held-out episodes.", defaultText: "64"),
      CommonOptions.seed, CommonOptions.threads, CommonOptions.memory, CommonOptions.out,
      OptionSpecification(long: "again", help: "Start anew even if this run is finished."),
      CommonOptions.json,
    ],
    examples: [
      CommandExample(line: "icl-probe eval --task multi-demo-rule", comment: "the curve"),
      CommandExample(
        line: "icl-probe eval --task country-capital --shots 0,1,2,4 --episodes 100",
        comment: "a knowledge task"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let task = try CommonOptions.loadTask(parsed)
    let shots = try parsed.integers("shots", in: 0...1000) ?? [0, 1, 2, 4, 8, 12, 16]
    guard Set(shots).count == shots.count else {
      throw UserError("--shots names a number twice", remedy: "name each once", status: .usage)
    }
    let episodes = try parsed.integer("episodes", in: 1...100_000) ?? 64
    let seed = try CommonOptions.seed(parsed)
    let engine = try CommonOptions.engine(parsed)
    let directory = try RunDirectory.open(
      root: "runs", name: "eval-\(task.name)",
      identity: [
        "kind": "eval", "version": .string(Main.version), "task": .string(task.name),
        "digest": .string(task.digest), "model": .string(try engine.model.digest()),
        "shots": .array(shots.map(JSONValue.integer)), "episodes": .integer(episodes),
        "seed": .integer(Int(seed)), "rows": .integer(engine.rowBudget),
      ],
      rowsFile: "accuracy.jsonl", path: parsed.string("out"), again: parsed.flag("again"))
    var rows = try directory.rows.map { try ShotCurve.Row($0) }
    if directory.state == .complete {
      PatchCommand.note("this run is finished; run with --again to repeat it")
    } else {
      let laboratory = Laboratory(engine: engine, seed: seed, demonstrations: 0)
      let curve = ShotCurve(laboratory: laboratory, task: task)
      RunManifest.begin(directory, engine: engine)
      try directory.writeManifest()
      let batches = ShotCurve.batches(episodes: episodes)
      let progress = Progress()
      defer { progress.finish() }
      var done = 0
      let total = shots.reduce(0) { $0 + $1 + 1 } * batches.count
      for count in shots {
        for batch in batches {
          let known = Set(rows.lazy.filter { $0.shots == count }.map(\.episode))
          if !batch.allSatisfy(known.contains) {
            let fresh = try curve.rows(shots: count, episodes: batch)
              .filter { !known.contains($0.episode) }
            try directory.append(fresh.map(\.json))
            rows += fresh
          }
          done += count + 1
          progress.update(done: done, total: total, label: "\(task.name), \(count) demonstrations")
        }
      }
      RunManifest.end(directory)
      try directory.writeManifest()
    }
    show(ShotSummary(task: task.name, rows: rows, seed: 0), directory.path, parsed)
  }

  private static func show(_ summary: ShotSummary, _ path: String, _ parsed: ParsedCommand) {
    if parsed.flag("json") {
      let metrics: [(String, (ShotSummary.Point) -> Interval)] = [
        ("accuracy", { $0.accuracy }), ("candidate_accuracy", { $0.candidateAccuracy }),
        ("logit_difference", { $0.logitDifference }), ("probability", { $0.probability }),
      ]
      CommonOptions.print([
        "run": .string(path),
        "rows": .array(
          summary.points.flatMap { point in
            metrics.map { name, value in
              let interval = value(point)
              return [
                "task": .string(summary.task), "shots": .integer(point.shots),
                "metric": .string(name), "mean": .number(interval.estimate),
                "low": .number(interval.low), "high": .number(interval.high),
                "n": .integer(point.episodes),
              ]
            }
          }),
      ])
      return
    }
    func text(_ interval: Interval) -> String {
      formattedInterval(interval.estimate, interval.low, interval.high, digits: 2)
    }
    let device = TerminalDevice.standardOutput
    print(
      TextTable(
        headers: ["shots", "accuracy, all tokens", "accuracy, of two", "logit difference"],
        rows: summary.points.map {
          [
            String($0.shots), text($0.accuracy), text($0.candidateAccuracy),
            text($0.logitDifference),
          ]
        }
      ).text(on: device))
    print(
      TextChart(
        title: "\(summary.task): accuracy by demonstrations", xTitle: "demonstrations",
        series: [
          TextChart.Series(
            name: "all tokens",
            points: summary.points.map { (Double($0.shots), $0.accuracy.estimate) }),
          TextChart.Series(
            name: "of two",
            points: summary.points.map { (Double($0.shots), $0.candidateAccuracy.estimate) }),
        ]
      ).text(width: min(device.width, 100), usesUnicode: device.usesUnicode, style: device.style))
    print("Run: \(path)")
  }
}
