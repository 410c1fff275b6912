import Foundation
import Testing

/// `onestep pretrain` and `onestep sample` on a network of a few thousand weights.
@Suite struct PretrainCommandTests {
  private func pretrain(_ out: String, kimg: Int = 1) -> [String] {
    [
      "pretrain", "--data", "fashion-mnist", "--preset", "test", "--kimg", "\(kimg)", "--tick",
      "160", "--snapshots", "2", "--threads", "2", "--out", out,
    ]
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  private func images(_ folder: String) -> [Int] {
    let text = (try? String(contentsOfFile: folder + "/stats.jsonl", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { try? JSON(String($0))["images"]?.whole }
  }

  @Test func aKilledRunEndsWithTheSameBits() throws {
    let scratch = try Scratch()
    let (whole, pieces) = (scratch.file("whole"), scratch.file("pieces"))
    let first = try Program.run(pretrain(whole), of: "onestep")
    #expect(first.status == 0, "\(first.err)")
    #expect(images(whole) == [160, 320, 480, 640, 800, 960, 1008])
    for ticks in [1, 3] {
      let running = try RunningProgram(
        Program.path(of: "onestep"), pretrain(pieces), folder: scratch)
      while running.isRunning, images(pieces).count < ticks { usleep(2000) }
      let second = try Program.run(pretrain(pieces), of: "onestep")
      // Whoever comes second is refused, unless the first is done by then.
      if second.status != 0 { second.expectFailure(1, "another process", of: "onestep") }
      running.kill()
      _ = try running.finish()
    }
    let last = try Program.run(pretrain(pieces), of: "onestep")
    #expect(last.status == 0, "\(last.err)")
    #expect(images(pieces) == images(whole))
    for name in ["state.safetensors", "snapshot-000001.safetensors", "fakes-000001.png"] {
      #expect(try bytes(whole + "/" + name) == bytes(pieces + "/" + name), "\(name)")
    }
    // A finished run has nothing left to do.
    #expect(try Program.run(pretrain(whole), of: "onestep").status == 0)
    let other = try Program.run(pretrain(whole, kimg: 2), of: "onestep")
    other.expectFailure(1, "other options", of: "onestep")
  }

  @Test func aSeedIsAPictureWhateverTheOthers() throws {
    let scratch = try Scratch()
    let run = scratch.file("run")
    #expect(try Program.run(pretrain(run), of: "onestep").status == 0)
    func sample(_ seeds: String, _ out: String) throws -> Program.Result {
      try Program.run(
        [
          "sample", "--network", run + "/snapshot-000001.safetensors", "--seeds", seeds,
          "--steps", "4", "--out", scratch.file(out),
        ], of: "onestep")
    }
    for (seeds, out) in [("0-69", "many"), ("65,3", "few")] {
      let result = try sample(seeds, out)
      #expect(result.status == 0, "\(result.err)")
    }
    for name in ["000065.png", "000003.png"] {
      #expect(
        try bytes(scratch.file("many/" + name)) == bytes(scratch.file("few/" + name)), "\(name)")
    }
    #expect(
      try bytes(scratch.file("few/000065.png")) != bytes(scratch.file("few/000003.png")))
    #expect(try sample("0-15", "grid.png").status == 0)
    #expect(try sample("0-15", "values.safetensors").status == 0)
    try sample("5-1", "x.png").expectFailure(2, "--seeds", "5-1", of: "onestep")
    try sample("0", "x.gif").expectFailure(2, ".gif", of: "onestep")
    try Program.run(
      ["sample", "--network", run + "/options.json", "--out", scratch.file("x.png")],
      of: "onestep"
    ).expectFailure(1, "options.json", of: "onestep")
  }
}
