import Foundation
import Testing

/// Runs are repeatable and can be finished after anything that stops them.
@Suite(.timeLimit(.minutes(5))) struct PatchCommandTests {
  let laboratory: TinyLaboratory
  private var scratch: Scratch { laboratory.scratch }
  /// Episodes of a run that takes long enough to be disturbed.
  private static let many = 600

  init() throws {
    laboratory = try TinyLaboratory()
    try scratch.write(
      "quick.json",
      """
      {"name": "quick", "title": "Quick", "question": "Is it repeatable?",
       "experiment": "layer-sweep", "donor": "clean", "positions": ["answers", "last"]}
      """)
  }

  private func arguments(_ folder: String, episodes: Int = 1, _ more: [String] = []) -> [String] {
    [
      "patch", "--model", "tiny", "--task", "tasks/small.json", "--probe", "quick.json", "--shots",
      "2", "--verify", "1", "--episodes", "\(episodes)", "--out", folder, "--json",
    ] + more
  }

  private func run(
    _ folder: String, episodes: Int = 1, _ more: String...
  ) throws -> Program.Result {
    let result = try Program.run(arguments(folder, episodes: episodes, more), folder: scratch)
    #expect(result.status == 0, "\(result.err)")
    return result
  }

  /// Lines of a run's rows, sorted.
  private func rows(_ folder: String) throws -> [Substring] {
    try scratch.read("\(folder)/rows.jsonl").split(separator: "\n").sorted()
  }

  private func edit(_ file: String, _ change: (inout String) -> Void) throws {
    var text = try scratch.read(file)
    change(&text)
    try scratch.write(file, text)
  }

  @Test func repeatsAndFinishes() throws {
    let first = try run("a")
    let json = try JSON(first.out)
    #expect(json.keys.sorted() == ["rows", "run"])
    #expect(json["run"]?.text == "a")
    let row = try #require(json["rows"]?[0])
    for key in ["probe", "positions", "layer", "metric", "mean", "low", "high", "n"] {
      #expect(row.keys.contains(key))
    }
    let manifest = try JSON(scratch.read("a/manifest.json"))
    #expect(manifest["finished"]?.text != nil)
    let deviation = try #require(manifest["verification"]?["largest_deviation"]?.number)
    #expect(deviation < 1e-3)

    let again = try run("a")
    #expect(again.out == first.out)
    #expect(again.err == "icl-probe: this run is finished; run with --again to repeat it\n")

    // The same bits with any number of threads.
    _ = try run("one", "--threads", "1")
    _ = try run("two", "--threads", "2")
    #expect(try scratch.read("one/rows.jsonl") == scratch.read("a/rows.jsonl"))
    #expect(try scratch.read("two/rows.jsonl") == scratch.read("a/rows.jsonl"))

    // Cut inside a row, as by a power failure, and before the manifest said that it is finished.
    let whole = try rows("a")
    for share in [3, 2] {
      try edit("a/rows.jsonl") { $0 = String($0.prefix($0.count / share)) }
      try edit("a/manifest.json") {
        $0.replace(/"finished": "[^"]*"/, with: "\"finished\": null")
      }
      #expect(try run("a").out == first.out)
      #expect(try rows("a") == whole)
    }

    // A folder of another run.
    try Program.run(arguments("a", episodes: 2), folder: scratch).expectFailure(
      1, "a: the folder holds another run: episodes is 1 there, 2 here", "--out")
    try Program.run(
      arguments("a").map { $0 == "tasks/small.json" ? "known" : $0 }, folder: scratch
    )
    .expectFailure(1, "a: the folder holds another run: task is", "--out")
    #expect(scratch.entries().allSatisfy { !$0.hasSuffix(".tmp") })
  }

  @Test func finishesWhatWasKilled() throws {
    let running = try Program.start(arguments("killed", episodes: Self.many), folder: scratch)
    while running.isRunning, (try? rows("killed").isEmpty) ?? true { usleep(5000) }
    // Or it may be finished before another process has begun, on a busy machine.
    running.pause()
    try Program.run(arguments("killed", episodes: Self.many), folder: scratch)
      .expectFailure(1, "killed: another process is writing this run", "wait for it")
    running.kill()
    #expect(try running.finish().status == SIGKILL)
    let before = try rows("killed").count

    let resumed = try run("killed", episodes: Self.many)
    let whole = try run("whole", episodes: Self.many)
    #expect(try rows("killed").count > before)
    #expect(try rows("killed") == rows("whole"))
    #expect(resumed.out.replacing("\"killed\"", with: "\"whole\"") == whole.out)

    // A disk that fills up: no file may grow beyond 16 kB, and these rows need more.
    let command = arguments("full", episodes: Self.many).map { "'\($0)'" }.joined(separator: " ")
    let full = try Program.shell(
      "trap '' XFSZ; ulimit -f 16; exec \"$PROGRAM\" \(command)", folder: scratch)
    #expect(full.status == 1)
    #expect(full.out.isEmpty)
    let last = try #require(full.err.split(separator: "\n").last)
    #expect(last.hasPrefix("icl-probe: full/rows.jsonl: cannot be written"), "\(full.err)")
    // Of the unit that did not fit, nothing is left.
    #expect(try scratch.read("full/rows.jsonl").hasSuffix("}\n"))
    #expect(try laboratory.hasWholeUnits("full"))
    _ = try run("full", episodes: Self.many)
    #expect(try rows("full") == rows("whole"))
  }

  @Test func stopsWhenAsked() throws {
    let command = arguments("stopped", episodes: Self.many)
    let running = try Program.start(command, folder: scratch)
    while running.isRunning, (try? rows("stopped").isEmpty) ?? true { usleep(5000) }
    running.interrupt()
    let stopped = try running.finish()
    #expect(stopped.status == 130 && stopped.out.isEmpty)
    let line = try #require(stopped.err.split(separator: "\n").last)
    let words = command.joined(separator: " ")
    #expect(line.hasPrefix("icl-probe: stopped; the same command continues: "), "\(line)")
    #expect(line.hasSuffix("/icl-probe " + words), "\(line)")
    #expect(try scratch.read("stopped/rows.jsonl").hasSuffix("}\n"))
    #expect(try JSON(scratch.read("stopped/manifest.json"))["finished"]?.text == nil)

    _ = try run("stopped", episodes: Self.many)
    _ = try run("never", episodes: Self.many)
    #expect(try scratch.read("stopped/rows.jsonl") == scratch.read("never/rows.jsonl"))
  }

  @Test func doesNotTrustWhatBecameOfARun() throws {
    let first = try run("a")
    let whole = try scratch.read("a/rows.jsonl")
    // Rows that were lost after the run was finished.
    try edit("a/rows.jsonl") { $0 = "" }
    let mended = try run("a")
    #expect(mended.err.contains("a: the run was finished, but rows.jsonl holds 0 of"))
    #expect(mended.out == first.out)
    #expect(try scratch.read("a/rows.jsonl") == whole)

    // Rows that somebody changed.
    try edit("a/rows.jsonl") { $0 = $0.replacing("held-out", with: "held_out") }
    try Program.run(arguments("a"), folder: scratch).expectFailure(
      1, "a/rows.jsonl: the rows were changed after the run was finished", "mv a a-changed")

    // Starting anew keeps what was there.
    let again = try run("a", "--again")
    #expect(again.err.contains("icl-probe: the run that was in a is kept in a-before-1\n"))
    #expect(again.out == first.out)
    #expect(try scratch.read("a-before-1/rows.jsonl").contains("held_out"))

    // A manifest that somebody edited.
    try edit("a/manifest.json") {
      $0.replace(/"finished": "[^"]*"/, with: "\"finished\": null")
      $0.replace(/"variants": [0-9]+/, with: "\"variants\": 1e300")
    }
    try Program.run(arguments("a"), folder: scratch).expectFailure(
      1, "a/manifest.json, verification.variants: found a number where a whole number belongs")
  }

  /// The model that the program comes with, read by its own tokenizer.
  @Test func patchesARealModel() throws {
    let short = [
      "patch", "--probe", "quick.json", "--shots", "2", "--episodes", "1", "--verify", "2",
      "--task", Self.task, "--out", "real", "--json",
    ]
    let result = try Program.run(short, folder: scratch)
    #expect(result.status == 0, "\(result.err)")
    let rows = try #require(try JSON(result.out)["rows"]).items
    func recovery(_ positions: String, _ layer: Int) -> Double? {
      rows.first {
        $0["metric"]?.text == "recovery" && $0["positions"]?.text == positions
          && $0["layer"]?.whole == layer
      }?["mean"]?.number
    }
    // After the last of thirty layers the last position is all that is read, and answers are not.
    #expect(abs(try #require(recovery("last", 29)) - 1) < 1e-3)
    #expect(abs(try #require(recovery("answers", 29))) < 1e-3)
    let manifest = try JSON(scratch.read("real/manifest.json"))
    #expect(try #require(manifest["verification"]?["largest_deviation"]?.number) < 1e-3)
  }

  private static let task = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../tasks/categorization/multi-demo-rule.json").standardized.path

  /// Bits differ between kinds of processor, so that runs do not mix them.
  @Test func doesNotMixKindsOfProcessor() throws {
    func run(_ core: String) throws -> Program.Result {
      try Program.run(
        arguments("a"), environment: ["OPENBLAS_CORETYPE": core], folder: scratch)
    }
    _ = try run("Haswell")
    let core = try JSON(scratch.read("a/manifest.json"))["identity"]?["arithmetic"]?["blas_core"]
    // An OpenBLAS that is built for one kind knows no other.
    guard core?.text == "Haswell" else { return }
    try run("Nehalem").expectFailure(
      1, "a: the folder holds another run: arithmetic.blas_core is \"Haswell\" there", "--out")
  }

  @Test func numbersItsRuns() throws {
    let short = Array(arguments("").prefix { $0 != "--out" })
    let first = try Program.run(short, folder: scratch)
    #expect(first.status == 0, "\(first.err)")
    #expect(first.out.contains("runs/small-001"))
    #expect(try Program.run(short, folder: scratch).out == first.out)
    let again = try Program.run(short + ["--again"], folder: scratch)
    #expect(again.out.contains("runs/small-002"))
    #expect(
      try scratch.read("runs/small-001/rows.jsonl")
        == scratch.read("runs/small-002/rows.jsonl"))
  }

  @Test func refusesPlacesThatCannotBeWritten() throws {
    try scratch.write("file", "")
    for place in ["file", "file/below", "/proc/icl-probe"] {
      try Program.run(arguments(place), folder: scratch)
        .expectFailure(1, "\(place): ", "choose another place with --out")
    }
    try FileManager.default.createDirectory(
      atPath: scratch.file("mine"), withIntermediateDirectories: true)
    try scratch.write("mine/letter.txt", "")
    try Program.run(arguments("mine"), folder: scratch)
      .expectFailure(1, "mine: the folder holds other files (letter.txt)", "an empty folder")
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.file("mine")).count == 1)
  }
}
