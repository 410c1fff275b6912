import Foundation
import Testing

/// `onestep train` on a network of a few thousand weights.
@Suite struct TrainCommandTests {
  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test func aKilledRunEndsWithTheSameBits() throws {
    let scratch = try Scratch()
    let teacher = scratch.file("teacher")
    let pretrained = try Program.run(
      [
        "pretrain", "--data", "fashion-mnist", "--preset", "test", "--kimg", "1", "--snapshots",
        "1", "--threads", "2", "--out", teacher,
      ], of: "onestep")
    #expect(pretrained.status == 0, "\(pretrained.err)")
    let network = teacher + "/snapshot-000001.safetensors"
    func train(_ out: String, _ rest: [String] = [], kimg: String = "1") -> [String] {
      [
        "train", "--network", network, "--data", "fashion-mnist", "--kimg", kimg, "--tick", "160",
        "--snapshots", "1", "--penalty-interval", "3", "--threads", "2", "--out",
        scratch.file(out),
      ] + rest
    }
    let whole = try Program.run(train("whole"), of: "onestep")
    #expect(whole.status == 0, "\(whole.err)")
    #expect(whole.err.contains("frozen: 77.9 % of 47985 parameters"), "\(whole.err)")
    let running = try RunningProgram(
      Program.path(of: "onestep"), train("pieces"), folder: scratch)
    let state = scratch.file("pieces/state.safetensors")
    while running.isRunning, !FileManager.default.fileExists(atPath: state) { usleep(2000) }
    running.kill()
    _ = try running.finish()
    let last = try Program.run(train("pieces"), of: "onestep")
    #expect(last.status == 0, "\(last.err)")
    for name in ["state.safetensors", "snapshot-000001.safetensors", "fakes-000001.png"] {
      #expect(
        try bytes(scratch.file("whole/" + name)) == bytes(scratch.file("pieces/" + name)),
        "\(name)")
    }
    try Program.run(train("whole", ["--freeze", "2"]), of: "onestep")
      .expectFailure(1, "another run: freeze is \"1\" there, \"2\" here", of: "onestep")
    // At constant rates a finished run goes on; rates that fall were planned for its length.
    let longer = try Program.run(train("whole", kimg: "2"), of: "onestep")
    #expect(longer.status == 0 && longer.err.contains("continuing"), "\(longer.err)")
    try Program.run(
      [
        "pretrain", "--data", "fashion-mnist", "--preset", "test", "--kimg", "2", "--snapshots",
        "1", "--threads", "2", "--out", teacher,
      ], of: "onestep"
    ).expectFailure(1, "total is 1000 there, 2000 here", "planned for that length", of: "onestep")
    try Program.run(
      [
        "sample", "--network", scratch.file("whole/snapshot-000001.safetensors"), "--steps", "2",
        "--out", scratch.file("x.png"),
      ], of: "onestep"
    ).expectFailure(2, "trained for one call", of: "onestep")
    try Program.run(train("x", ["--freeze", "7"]), of: "onestep")
      .expectFailure(2, "no freeze level 7", of: "onestep")
    try Program.run(train("x", ["--augment", "colour,blur"]), of: "onestep")
      .expectFailure(2, "'blur'", "cutout", of: "onestep")
    try Program.run(train("x", ["--augment", ""]), of: "onestep")
      .expectFailure(2, "names no augmentation", "cutout", of: "onestep")
    try Program.run(train("x", ["--features", "encoder@100"]), of: "onestep")
      .expectFailure(2, "encoder@100", "0.002 to 80", of: "onestep")
    try Program.run(
      train("x", ["--features", "encoder", "--features", "encoder"]), of: "onestep"
    ).expectFailure(2, "encoder", "twice", of: "onestep")
    try Program.run(train("x", ["--features", network + "x"]), of: "onestep")
      .expectFailure(1, network + "x", of: "onestep")
  }
}
