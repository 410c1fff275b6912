import Foundation
import Testing

/// Shares of runs by their commands, as a batch system starts them.
@Suite(.timeLimit(.minutes(5))) struct ShardCommandTests {
  let laboratory: TinyLaboratory
  private var scratch: Scratch { laboratory.scratch }

  init() throws { laboratory = try TinyLaboratory() }

  private func arguments(_ out: String, episodes: Int = 6) -> [String] {
    [
      "patch", "--model", "tiny", "--task", "small", "--probe", "sweep", "--probe", "vector",
      "--shots", "2", "--episodes", "\(episodes)", "--out", out, "--json",
    ]
  }

  private func share(
    _ text: String, _ out: String, episodes: Int = 6, environment: [String: String] = [:]
  ) throws -> Program.Result {
    try Program.run(
      arguments(out, episodes: episodes) + (text.isEmpty ? [] : ["--shard", text]),
      environment: environment, folder: scratch)
  }

  @Test func sharesBecomeTheRunThatWasNotShared() throws {
    _ = try laboratory.succeed(arguments("whole"))
    let first = try share("2/3", "run")
    #expect(first.status == 0, "\(first.err)")
    let json = try JSON(first.out)
    #expect(json["shard"]?.text == "2/3" && json["rows"]?.count == 0)
    #expect(json["run"]?.text == "run")
    try Program.run(["aggregate", "run"], folder: scratch).expectFailure(
      1, "run: 2 of 3 shares are missing: 1,3 not begun", "sbatch --array=1,3")
    for index in [3, 1] { #expect(try share("\(index)/3", "run").status == 0) }
    #expect(try share("3/3", "run").err == "icl-probe: share 3/3 of this run is finished\n")
    let merged = try laboratory.succeed(["aggregate", "run", "--json"])
    #expect(merged.err.contains("icl-probe: run: merged 3 shares\n"))
    #expect(try scratch.read("run/rows.jsonl") == scratch.read("whole/rows.jsonl"))
    // The report says what that of the run without shares says.
    let whole = try JSON(laboratory.succeed(["aggregate", "whole", "--json"]).out)
    func claims(_ json: JSON) -> [String] {
      (json["claims"]?.items ?? []).map { "\($0["name"]?.text ?? "") \($0["p"]?.number ?? -1)" }
    }
    #expect(try claims(JSON(merged.out)) == claims(whole) && !claims(whole).isEmpty)
    // The same command without a share finds it finished.
    #expect(try share("", "run").err.contains("this run is finished"))
  }

  @Test func theArrayTellsTheShare() throws {
    func task(_ id: Int, _ out: String = "array", _ text: String = "") throws -> Program.Result {
      try share(
        text, out,
        environment: [
          "SLURM_ARRAY_TASK_ID": "\(id)", "SLURM_ARRAY_TASK_MIN": "3",
          "SLURM_ARRAY_TASK_COUNT": "2",
        ])
    }
    for id in [3, 4] {
      let result = try task(id)
      #expect(result.status == 0)
      #expect(
        result.err.hasPrefix(
          "icl-probe: share \(id - 2)/2, by SLURM_ARRAY_TASK_ID; --shard 1/1 is the whole run\n"),
        "\(result.err)")
    }
    _ = try laboratory.succeed(["aggregate", "array"])
    try task(5).expectFailure(2, "the array has gaps", "--shard I/N")
    // Who names one is asked nothing.
    #expect(try task(5, "own", "1/1").status == 0)
    #expect(try scratch.read("own/rows.jsonl") == scratch.read("array/rows.jsonl"))
  }

  @Test func whatIsNoShareIsRefused() throws {
    try share("4/3", "run").expectFailure(2, "--shard", "'4/3'", "3/7")
    try Program.run(arguments("run") + ["--shard", "1/3", "--again"], folder: scratch)
      .expectFailure(2, "--again does not go with shares", "--out")
    #expect(try share("1/3", "run").status == 0)
    // Another run's share.
    try share("2/3", "run", episodes: 4).expectFailure(
      1, "run: the folder holds another run: episodes is 6 there, 4 here")
  }

  private func evaluation(_ out: String, episodes: Int = 12) -> [String] {
    [
      "eval", "--model", "tiny", "--task", "small", "--shots", "0,2", "--episodes", "\(episodes)",
      "--out", out,
    ]
  }

  @Test(arguments: [2, 7, 64]) func anyNumberOfSharesEvaluatesTheSame(_ count: Int) throws {
    _ = try laboratory.succeed(evaluation("whole"))
    for index in (1...count).reversed() {
      _ = try laboratory.succeed(evaluation("shared") + ["--shard", "\(index)/\(count)"])
    }
    _ = try laboratory.succeed(["aggregate", "shared"])
    #expect(try scratch.read("shared/rows.jsonl") == scratch.read("whole/rows.jsonl"))
  }

  /// A gate decides the same for every share: none patches where the model fails.
  @Test func everyShareStopsAtTheGate() throws {
    _ = try laboratory.succeed(arguments("whole") + ["--gate"])
    for index in 1...3 {
      _ = try laboratory.succeed(arguments("run") + ["--gate", "--shard", "\(index)/3"])
    }
    _ = try laboratory.succeed(["aggregate", "run"])
    #expect(try scratch.read("run/rows.jsonl") == scratch.read("whole/rows.jsonl"))
    #expect(
      try JSON(scratch.read("run/manifest.json"))["stopped_at_gate"]?.text
        == JSON(scratch.read("whole/manifest.json"))["stopped_at_gate"]?.text)
  }

  @Test(arguments: [SIGTERM, SIGUSR1]) func aBatchSystemMayStopIt(_ number: Int32) throws {
    let command = arguments("stopped", episodes: 600) + ["--shard", "1/2"]
    let running = try Program.start(command, folder: scratch)
    let rows = "stopped/rows-1-of-2.jsonl"
    while running.isRunning, (try? scratch.read(rows).isEmpty) ?? true { usleep(5000) }
    // As often as it likes.
    for _ in 0..<3 { running.send(number) }
    let stopped = try running.finish()
    #expect(stopped.status == 75 && stopped.out.isEmpty, "\(stopped.err)")
    #expect(stopped.err.contains("icl-probe: stopped; the same command continues: "))
    #expect(try scratch.read(rows).hasSuffix("}\n"))
    for index in 1...2 { #expect(try share("\(index)/2", "stopped", episodes: 600).status == 0) }
    _ = try laboratory.succeed(arguments("whole", episodes: 600))
    _ = try laboratory.succeed(["aggregate", "stopped"])
    #expect(try scratch.read("stopped/rows.jsonl") == scratch.read("whole/rows.jsonl"))
  }

  @Test(arguments: [SIGTERM, SIGUSR1, SIGINT])
  func anEvaluationMayBeStopped(_ number: Int32) throws {
    let command = evaluation("stopped", episodes: 2000)
    let running = try Program.start(command, folder: scratch)
    while running.isRunning, (try? laboratory.lines("stopped").isEmpty) ?? true { usleep(1000) }
    running.send(number)
    let stopped = try running.finish()
    let status: Int32 = number == SIGINT ? 130 : 75
    #expect(stopped.status == status && stopped.out.isEmpty, "\(stopped.err)")
    #expect(stopped.err.contains("icl-probe: stopped; the same command continues: "))
    let rows = try scratch.read("stopped/rows.jsonl")
    #expect(rows.hasSuffix("}\n"))
    _ = try laboratory.succeed(command)
    #expect(try scratch.read("stopped/rows.jsonl").hasPrefix(rows))
    _ = try laboratory.succeed(evaluation("whole", episodes: 2000))
    #expect(try scratch.read("stopped/rows.jsonl") == scratch.read("whole/rows.jsonl"))
  }

  /// A unit of a fit takes long: it is not waited for, and lost.
  @Test func aFitIsStoppedBetweenItsSteps() throws {
    try laboratory.probe(
      "long",
      #""experiment": "fitted-vector", "layers": [0], "fitted": 4, "tested": 2, "donors": 2, "development": 2, "steps": 1000"#
    )
    func command(_ out: String) -> [String] { laboratory.arguments(["long"], out: out) }
    let running = try Program.start(command("stopped"), folder: scratch)
    while running.isRunning, (try? laboratory.lines("stopped").isEmpty) ?? true { usleep(1000) }
    running.send(SIGTERM)
    let stopped = try running.finish()
    #expect(stopped.status == 75, "\(stopped.err)")
    let rows = try laboratory.lines("stopped")
    #expect(!rows.isEmpty && rows.allSatisfy { $0.contains("\"probe\": \"baseline\"") })
    for out in ["stopped", "whole"] { _ = try laboratory.succeed(command(out)) }
    #expect(try scratch.read("stopped/rows.jsonl") == scratch.read("whole/rows.jsonl"))
    #expect(try laboratory.lines("whole").count > rows.count)
  }
}
