import Foundation
import Testing

/// What `onestep sample` says of settings that would do nothing.
@Suite struct SampleCommandTests {
  private static let networks = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../networks").path

  @Test func settingsOfASolverThatNobodyHas() throws {
    let scratch = try Scratch()
    let oneStep = Self.networks + "/fashion16-onestep.safetensors"
    let diffusion = Self.networks + "/fashion16.safetensors"
    func sample(_ network: String, _ rest: String...) throws -> Program.Result {
      try Program.run(
        ["sample", "--network", network, "--seeds", "0", "--out", scratch.file("x.png")] + rest,
        of: "onestep")
    }
    for option in [["--solver", "euler"], ["--churn", "40"]] {
      let result = try Program.run(
        ["sample", "--network", oneStep, "--out", scratch.file("x.png")] + option, of: "onestep")
      result.expectFailure(2, oneStep, "\(option[0]) does nothing", of: "onestep")
    }
    try sample(diffusion, "--steps", "1", "--solver", "euler").expectFailure(
      2, diffusion, "--solver does nothing", of: "onestep")
    // A network beside it may have a use for them.
    for result in [
      try sample(diffusion, "--steps", "2", "--solver", "euler"),
      try sample(diffusion, "--steps", "1", "--churn", "1"),
      try sample(oneStep, "--beside", diffusion, "--solver", "euler"),
    ] {
      #expect(result.status == 0, "\(result.err)")
    }
  }

  /// A folder may be filled in pieces; that there is more in it than was drawn is said.
  @Test func filesOfBeforeAreCounted() throws {
    let scratch = try Scratch()
    func sample(_ seeds: String) throws -> Program.Result {
      try Program.run(
        [
          "sample", "--network", Self.networks + "/fashion16-onestep.safetensors", "--seeds", seeds,
          "--out", scratch.file("pictures"),
        ], of: "onestep")
    }
    for (seeds, others) in [("0-2", nil), ("1-2", 1), ("5-6", 3)] {
      let result = try sample(seeds)
      #expect(result.status == 0, "\(result.err)")
      #expect(result.err.contains("from before") == (others != nil))
      if let others { #expect(result.err.contains("from before: \(others)\n")) }
    }
  }

  /// `networks/NAME` is the user's own, or else the one that came with the program.
  @Test func networksThatComeAlong() throws {
    let scratch = try Scratch()
    let data = ["ICL_PROBE_DATA": URL(fileURLWithPath: Self.networks + "/..").standardized.path]
    func run(_ arguments: String...) throws -> Program.Result {
      try Program.run(arguments, of: "onestep", environment: data, folder: scratch)
    }
    let network = "networks/fashion16-onestep.safetensors"
    let sample = ["sample", "--seeds", "0", "--out", "x.png", "--network"]
    let drawn = try Program.run(
      sample + [network], of: "onestep", environment: data, folder: scratch)
    #expect(drawn.status == 0, "\(drawn.err)")
    // Features too: these are found, and are of other pictures.
    try run(
      "train", "--network", network, "--data", "fashion-mnist", "--preset", "fashion16",
      "--features", "networks/fashion28-plain.safetensors"
    ).expectFailure(1, "28×28", of: "onestep")
    try Program.run(
      sample + ["networks/none.safetensors"], of: "onestep", environment: data, folder: scratch
    ).expectFailure(1, "onestep: networks/none.safetensors: ", of: "onestep")
    try FileManager.default.createDirectory(
      atPath: scratch.file("networks"), withIntermediateDirectories: true)
    try scratch.write(network, "none")
    try Program.run(sample + [network], of: "onestep", environment: data, folder: scratch)
      .expectFailure(1, "onestep: \(network): ", of: "onestep")
  }
}
