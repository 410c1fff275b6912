import Foundation
import Testing

/// Shares of a record, as a batch system starts them.
@Suite(.timeLimit(.minutes(5))) struct RecordShareCommandTests {
  let laboratory: TinyLaboratory
  private var scratch: Scratch { laboratory.scratch }

  init() throws {
    laboratory = try TinyLaboratory()
    // Of 5 to 44 tokens: some units of many prompts, and a last one that is not full.
    let prompts = (0..<300).map { number in
      let tokens = (0..<5 + number % 40).map { "\((number * 7 + $0) % 200 + 1)" }
      return "{\"tokens\": [\(tokens.joined(separator: ", "))]}\n"
    }
    try scratch.write("prompts.jsonl", prompts.joined())
  }

  private func arguments(_ name: String, _ share: String? = nil) -> [String] {
    [
      "record", "--model", "tiny", "--prompts", "prompts.jsonl", "--hook",
      "blocks.*.hook_resid_post", "--hook", "blocks.1.attn.hook_z", "--positions", "-1,0,2",
      "--out", "\(name).safetensors",
    ] + (share.map { ["--shard", $0] } ?? [])
  }

  private func expectSame(_ name: String, as other: String) throws {
    for ending in ["safetensors", "json"] {
      let files = try [name, other].map {
        try Data(contentsOf: URL(fileURLWithPath: scratch.file("\($0).\(ending)")))
      }
      #expect(files[0] == files[1] && files[0].count > 1000)
    }
  }

  @Test(arguments: [2, 7, 64]) func anyNumberOfSharesRecordsTheSame(_ count: Int) throws {
    _ = try laboratory.succeed(arguments("whole"))
    // On another number of threads, and the last share first.
    for index in (1...count).reversed() {
      let threads = ["--threads", "\(1 + index % 2)"]
      _ = try laboratory.succeed(arguments("shared", "\(index)/\(count)") + threads)
    }
    _ = try laboratory.succeed(["aggregate", "shared.shares"])
    try expectSame("shared", as: "whole")
  }

  @Test func whatIsMissingIsNamed() throws {
    _ = try laboratory.succeed(arguments("whole"))
    let first = try laboratory.succeed(arguments("a", "2/4") + ["--json"])
    #expect(try JSON(first.out)["run"]?.text == "a.shares")
    try Program.run(["aggregate", "a.shares"], folder: scratch).expectFailure(
      1, "a.shares: 3 of 4 shares are missing: 1,3-4 not begun", "sbatch --array=1,3-4")
    for index in [1, 3, 4] { _ = try laboratory.succeed(arguments("a", "\(index)/4")) }
    #expect(
      try laboratory.succeed(arguments("a", "3/4")).err.contains(
        "share 3/4 of this record is finished"))
    // A unit's file that is lost or damaged is computed anew by its share.
    let unit = "a.shares/activations/unit-000002.safetensors"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.file(unit)))
    bytes[bytes.count - 1] ^= 1
    try scratch.write(unit, bytes)
    try Program.run(["aggregate", "a.shares"], folder: scratch).expectFailure(
      1, "unit-000002.safetensors: is not what was recorded", "rm ")
    #expect(!scratch.entries().contains("a.safetensors"))
    try FileManager.default.removeItem(atPath: scratch.file(unit))
    _ = try laboratory.succeed(arguments("a", "3/4"))
    let merged = try laboratory.succeed(["aggregate", "a.shares", "--json"])
    #expect(try JSON(merged.out)["rows"]?.whole == 900)
    try expectSame("a", as: "whole")
  }

  @Test func whatIsNotTheRecordsIsRefused() throws {
    _ = try laboratory.succeed(arguments("a", "1/2"))
    try Program.run(arguments("a", "2/2") + ["--hook", "ln_final.hook_scale"], folder: scratch)
      .expectFailure(
        1, "a.shares: the folder holds another run", "--out")
    try Program.run(
      [
        "record", "--model", "tiny", "--prompts", "prompts.jsonl", "--minus", "prompts.jsonl",
        "--out", "v.gguf", "--shard", "1/2",
      ], folder: scratch
    ).expectFailure(2, "--shard does nothing with --minus")
  }

  @Test(arguments: [SIGTERM, SIGUSR1]) func aBatchSystemMayStopIt(_ number: Int32) throws {
    let lines = try scratch.read("prompts.jsonl")
    try scratch.write("prompts.jsonl", String(repeating: lines, count: 20))
    let running = try Program.start(arguments("a", "1/2"), folder: scratch)
    let rows = "a.shares/rows-1-of-2.jsonl"
    while running.isRunning, (try? scratch.read(rows).isEmpty) ?? true { usleep(1000) }
    running.send(number)
    let stopped = try running.finish()
    #expect(stopped.status == 75 && stopped.out.isEmpty, "\(stopped.err)")
    #expect(stopped.err.contains("icl-probe: stopped; the same command continues: "))
    for index in 1...2 { _ = try laboratory.succeed(arguments("a", "\(index)/2")) }
    _ = try laboratory.succeed(["aggregate", "a.shares"])
    _ = try laboratory.succeed(arguments("whole"))
    try expectSame("a", as: "whole")
  }
}
