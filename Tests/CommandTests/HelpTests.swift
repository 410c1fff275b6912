import Foundation
import Testing

/// Help texts are promises: a change must show in the review. With UPDATE_SNAPSHOTS=1 in the
/// environment they are written anew.
@Suite struct HelpTests {
  static let commands = [
    "models", "tasks", "tokenize", "run", "record", "lens", "eval", "plan", "patch", "aggregate",
    "completion",
  ]
  static let onestepCommands = [
    ["pretrain"], ["train"], ["distill"], ["sample"], ["features"], ["features", "train"],
    ["features", "fetch"], ["features", "statistics"], ["evaluate"], ["spectrum"], ["study"],
    ["report"], ["data"], ["presets"], ["data", "inspect"],
    ["completion"],
  ]

  @Test func programHelp() throws { try compare(["--help"], "icl-probe") }

  @Test(arguments: commands) func commandHelp(_ command: String) throws {
    try compare([command, "--help"], command)
    let other = try Program.run(["help", command])
    #expect(try other.out == Program.run([command, "-h"]).out)
  }

  @Test func onestepHelp() throws { try compare(["--help"], "onestep", of: "onestep") }

  @Test(arguments: onestepCommands) func onestepCommandHelp(_ path: [String]) throws {
    let name = (["onestep"] + path).joined(separator: "-")
    try compare(path + ["--help"], name, of: "onestep")
  }

  @Test(arguments: [
    ("icl-probe", commands),
    (
      "onestep",
      [
        "pretrain", "train", "distill", "sample", "features", "evaluate", "spectrum", "study",
        "report", "data", "presets", "completion",
      ]
    ),
  ])
  func allCommandsAreListed(_ program: String, _ commands: [String]) throws {
    let help = try Program.run(["--help"], of: program).out
    let listed = help.split(separator: "\n").drop { $0 != "Commands:" }.dropFirst()
      .prefix { $0.hasPrefix("  ") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(listed == commands)
  }

  @Test(arguments: ["icl-probe", "onestep"]) func version(_ program: String) throws {
    let result = try Program.run(["--version"], of: program)
    #expect(result.status == 0)
    #expect(result.out.hasPrefix("\(program) "))
    #expect(result.out.wholeMatch(of: /[a-z-]+ \d+\.\d+\.\d+\n/) != nil)
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completion(_ shell: String) throws {
    let result = try Program.run(["completion", shell])
    #expect(result.status == 0)
    #expect(result.out.contains("interventions"))
    let onestep = try Program.run(["completion", shell], of: "onestep")
    #expect(onestep.status == 0)
    #expect(onestep.out.contains("inspect") && onestep.out.contains("preset"))
  }

  private func compare(
    _ arguments: [String], _ name: String, of program: String = "icl-probe"
  ) throws {
    let result = try Program.run(arguments, of: program)
    #expect(result.status == 0)
    #expect(result.err.isEmpty)
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let file = folder.appendingPathComponent("Resources/help/\(name).txt")
    if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOTS"] == "1" {
      try Data(result.out.utf8).write(to: file)
    }
    #expect(try result.out == String(decoding: Data(contentsOf: file), as: UTF8.self))
  }
}
