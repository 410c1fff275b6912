import Foundation
import Testing

/// Shares of a study that trains, as a batch system starts them, and studies that are stopped.
@Suite(.timeLimit(.minutes(5))) struct StudyShareCommandTests {
  let study: TinyStudy
  private var scratch: Scratch { study.scratch }

  init() throws { study = try TinyStudy() }

  @Test(arguments: [2, 7]) func anyNumberOfSharesTrainsTheSame(_ count: Int) throws {
    try study.succeed(study.arguments("whole"))
    for index in (1...count).reversed() {
      try study.succeed(study.arguments("shared", shard: "\(index)/\(count)"))
    }
    try study.succeed(["report", "shared", "--out", "report"])
    // A row names the file that it is of, in its own run's folder.
    let whole = try study.rows("whole").replacing("whole/", with: "shared/")
    #expect(try study.rows("shared") == whole && whole.contains("\"choice\""))
  }

  /// A run holds its preset: it is reported wherever the preset's file is not.
  @Test func aReportNeedsNoFileOfThePreset() throws {
    try study.succeed(study.arguments("run"))
    try study.succeed(["report", "run", "--out", "first"])
    try FileManager.default.removeItem(atPath: scratch.file("tiny.json"))
    try study.succeed(["report", "run", "--out", "second"])
    let pages = try ["first", "second"].map { try scratch.read("\($0)/index.html") }
    #expect(pages[0] == pages[1] && pages[0].contains("pictures.safetensors, tiny"))
  }

  /// Bits differ between builds and kinds of processor, so that runs do not mix them.
  @Test func anotherBuildIsRefused() throws {
    try study.succeed(study.arguments("run", shard: "1/2"))
    try study.changeBuild(of: "run")
    try Program.run(study.arguments("run", shard: "2/2"), of: "onestep", folder: scratch)
      .expectFailure(
        1, "run: the folder holds another run: arithmetic.build is \"another\" there",
        "the same build on the same kind of processor", of: "onestep")
    #expect(!scratch.entries().contains("run/results-2-of-2.jsonl"))
    try Program.run(["report", "run"], of: "onestep", folder: scratch).expectFailure(
      1, "1 cannot be used (it is of another run: arithmetic.build is ", of: "onestep")
  }

  /// Without `--out` such a run is passed over, and can still be read.
  @Test func anotherBuildIsNotContinued() throws {
    try study.succeed(study.arguments(nil))
    try study.changeBuild(of: "study-runs/small-001")
    let second = try study.succeed(study.arguments(nil))
    #expect(second.out == "study-runs/small-002\n")
    #expect(second.err.contains("begun by another build or on another kind of processor"))
    #expect(
      try study.rows("study-runs/small-001") == study.rows("study-runs/small-002"))
    try study.succeed(["report", "study-runs/small-001"])
  }

  @Test(arguments: [SIGTERM, SIGUSR1, SIGINT]) func aStudyMayBeStopped(_ number: Int32) throws {
    // Its last cell trains for long.
    try study.write("long", images: 6000)
    let command = study.arguments("stopped", "long")
    let running = try Program.start(command, of: "onestep", folder: scratch)
    while running.isRunning, !((try? study.rows("stopped").contains("\"choice\"")) ?? false) {
      usleep(1000)
    }
    running.send(number)
    let stopped = try running.finish()
    let status: Int32 = number == SIGINT ? 130 : 75
    #expect(stopped.status == status && stopped.out.isEmpty, "\(stopped.err)")
    #expect(stopped.err.contains("the same command continues"))
    let rows = try study.rows("stopped")
    #expect(rows.hasSuffix("}\n"))
    try study.succeed(command)
    #expect(try study.rows("stopped").hasPrefix(rows))
    try study.succeed(study.arguments("whole", "long"))
    #expect(
      try study.rows("stopped") == study.rows("whole").replacing("whole/", with: "stopped/"))
  }
}
