import Foundation
import Testing

/// `onestep distill` and what `onestep sample` makes of its snapshots, on a network of a few thousand
/// weights.
@Suite struct DistillCommandTests {
  /// A teacher that has seen a thousand images.
  private func teacher(in scratch: Scratch) throws -> String {
    let run = scratch.file("teacher")
    let result = try Program.run(
      [
        "pretrain", "--data", "fashion-mnist", "--preset", "test", "--kimg", "1", "--threads", "2",
        "--snapshots", "1", "--out", run,
      ], of: "onestep")
    #expect(result.status == 0, "\(result.err)")
    return run + "/snapshot-000001.safetensors"
  }

  private func distill(_ teacher: String, _ method: String, _ out: String, _ rest: [String] = [])
    -> [String]
  {
    [
      "distill", "--network", teacher, "--method", method, "--data", "fashion-mnist", "--preset",
      "test", "--kimg", "1", "--tick", "400", "--snapshots", "1", "--threads", "2", "--out", out,
    ] + rest
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test func aKilledRunEndsWithTheSameBits() throws {
    let scratch = try Scratch()
    let teacher = try teacher(in: scratch)
    let (whole, pieces) = (scratch.file("whole/run"), scratch.file("pieces/run"))
    let rest = ["--pool", "600", "--teacher-steps", "4"]
    // The teacher's pictures lie beside the run.
    func pool(_ run: String) -> String {
      let folder = (run as NSString).deletingLastPathComponent
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return folder + "/" + (names.first { $0.hasPrefix("teacher-") } ?? "teacher")
    }
    let first = try Program.run(distill(teacher, "regression", whole, rest), of: "onestep")
    #expect(first.status == 0, "\(first.err)")
    // While the teacher draws, and while the student trains.
    let places = [
      { pool(pieces) + "/part-000000.safetensors" }, { pieces + "/state.safetensors" },
    ]
    for place in places {
      let running = try RunningProgram(
        Program.path(of: "onestep"), distill(teacher, "regression", pieces, rest), folder: scratch)
      while running.isRunning, !FileManager.default.fileExists(atPath: place()) {
        usleep(2000)
      }
      running.kill()
      _ = try running.finish()
    }
    let last = try Program.run(distill(teacher, "regression", pieces, rest), of: "onestep")
    #expect(last.status == 0, "\(last.err)")
    let snapshot = "snapshot-000001.safetensors"
    for name in ["state.safetensors", snapshot, "fakes-000001.png"] {
      #expect(try bytes(whole + "/" + name) == bytes(pieces + "/" + name), "\(name)")
    }
    let part = "/part-000002.safetensors"
    #expect(try bytes(pool(whole) + part) == bytes(pool(pieces) + part))
    // A one-step generator is sampled in one step, whether one says so or not, and does not teach.
    for (out, steps) in [("a.png", []), ("b.png", ["--steps", "1"])] {
      let result = try Program.run(
        ["sample", "--network", whole + "/" + snapshot, "--out", scratch.file(out)] + steps,
        of: "onestep")
      #expect(result.status == 0, "\(result.err)")
      #expect(result.err.contains("64 images, 1 network call each"), "\(result.err)")
      #expect(result.err.contains("images per second"))
    }
    #expect(try bytes(scratch.file("a.png")) == bytes(scratch.file("b.png")))
    let pair = ["sample", "--network", whole + "/" + snapshot, "--beside", teacher, "--out"]
    let both = try Program.run(pair + [scratch.file("both.png")], of: "onestep")
    #expect(both.status == 0, "\(both.err)")
    #expect(both.err.contains("64 images, 1 network call each"), "\(both.err)")
    #expect(both.err.contains("64 images, 35 network calls each"), "\(both.err)")
    let refused = try Program.run(pair + [scratch.file("both.safetensors")], of: "onestep")
    #expect(refused.status == 2 && refused.err.contains("as one picture only"), "\(refused.err)")
    #expect(try bytes(scratch.file("a.png")) == bytes(whole + "/fakes-000001.png"))
    try Program.run(
      distill(whole + "/" + snapshot, "consistency", scratch.file("x")), of: "onestep"
    ).expectFailure(1, snapshot, "one-step generator", of: "onestep")
  }

  @Test func everyMethodMakesAGenerator() throws {
    let scratch = try Scratch()
    let teacher = try teacher(in: scratch)
    for (method, rest) in [
      ("progressive", ["--teacher-steps", "4", "--freeze", "1"]),
      ("consistency", ["--distance", "huber"]), ("trajectory", ["--learning-rate", "1e-4"]),
    ] {
      let run = scratch.file(method)
      let result = try Program.run(distill(teacher, method, run, rest), of: "onestep")
      #expect(result.status == 0, "\(result.err)")
      let snapshot = run + "/snapshot-000001.safetensors"
      #expect(result.out == snapshot + "\n")
      let header = String(decoding: try bytes(snapshot).prefix(8192), as: UTF8.self)
      #expect(header.contains(#""generator": "one-step""#), "\(method)")
    }
  }

  @Test func aDiscriminatorAndMapsMayStandBesideTheLoss() throws {
    let scratch = try Scratch()
    let teacher = try teacher(in: scratch)
    let classifier = scratch.file("classifier")
    let trained = try Program.run(
      [
        "features", "train", "--data", "fashion-mnist", "--preset", "test", "--kimg", "1",
        "--snapshots", "1", "--threads", "2", "--out", classifier,
      ], of: "onestep")
    #expect(trained.status == 0, "\(trained.err)")
    let maps = classifier + "/snapshot-000001.safetensors"
    /// The figures of the run's end, and its weights.
    func run(_ name: String, _ method: String, _ rest: [String]) throws -> (JSON, Data) {
      let out = scratch.file("\(name)/run")
      let result = try Program.run(distill(teacher, method, out, rest), of: "onestep")
      #expect(result.status == 0, "\(name): \(result.err)")
      let rows = try String(contentsOfFile: out + "/stats.jsonl", encoding: .utf8)
        .split(separator: "\n")
      return (
        try JSON(String(try #require(rows.last))),
        try bytes(out + "/snapshot-000001.safetensors")
      )
    }
    let regression = ["--pool", "64", "--teacher-steps", "2"]
    let plain = try run("plain", "regression", regression)
    #expect(plain.0["discriminator_loss"] == nil)
    let perceptual = try run("perceptual", "regression", regression + ["--perceptual", maps])
    #expect(perceptual.1 != plain.1)
    #expect(try #require(perceptual.0["loss"]?.number) > 0)
    for (name, method, rest) in [
      ("encoder", "consistency", []), ("named", "consistency", ["--features", maps]),
      ("regression", "regression", regression),
    ] {
      let found = try run(name, method, ["--gan", "0.1"] + rest)
      for key in ["loss", "generator_loss", "discriminator_loss", "real_logit", "fake_logit"] {
        #expect(found.0[key]?.number?.isFinite == true, "\(name): \(key)")
      }
      #expect(found.1 != plain.1)
    }
  }

  @Test func regressionOntoClassesTakesNoDiscriminator() throws {
    let scratch = try Scratch()
    let run = scratch.file("teacher")
    let result = try Program.run(
      [
        "pretrain", "--data", "fashion-mnist", "--preset", "test", "--cond", "--kimg", "1",
        "--threads", "2", "--snapshots", "1", "--out", run,
      ], of: "onestep")
    #expect(result.status == 0, "\(result.err)")
    try Program.run(
      distill(
        run + "/snapshot-000001.safetensors", "regression", scratch.file("x"), ["--gan", "0.1"]),
      of: "onestep"
    ).expectFailure(2, "classes", "--gan", of: "onestep")
  }

  @Test func mistakesAreToldInOneLine() throws {
    let scratch = try Scratch()
    let teacher = try teacher(in: scratch)
    func refused(
      _ method: String, _ rest: [String], _ status: Int32, _ part: String,
      network: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      try Program.run(
        distill(network ?? teacher, method, scratch.file("x"), rest), of: "onestep"
      ).expectFailure(status, part, of: "onestep", sourceLocation: sourceLocation)
    }
    try refused("progressive", ["--teacher-steps", "18"], 2, "18")
    try refused("consistency", ["--teacher-steps", "1"], 2, "1 step")
    try refused("consistency", ["--pool", "5"], 2, "--pool")
    try refused("progressive", ["--target-half-life", "5"], 2, "--target-half-life")
    try refused("consistency", ["--freeze", "4"], 2, "--freeze")
    try refused("consistency", ["--freeze", "*.nothing.*"], 2, "*.nothing.*")
    try refused("consistency", ["--freeze", "*"], 2, "every parameter is frozen")
    try refused("consistency", ["--features", "encoder"], 2, "--gan")
    try refused("consistency", ["--gan", "0"], 2, "--gan")
    try refused("regression", ["--perceptual", "nothing.safetensors"], 1, "nothing.safetensors")
    try refused("imitation", [], 2, "--method")
    try refused("consistency", [], 1, "nothing.safetensors", network: "nothing.safetensors")
    try Program.run(
      [
        "distill", "--network", teacher, "--method", "consistency", "--data", "fashion-mnist",
        "--preset", "fashion16", "--out", scratch.file("x"),
      ], of: "onestep"
    ).expectFailure(1, "1×8×8", "1×16×16", of: "onestep")
  }
}
