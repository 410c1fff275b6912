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
}
