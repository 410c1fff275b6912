import Foundation
import Testing

/// `onestep spectrum`, `onestep study` and `onestep report` on networks of a few thousand weights.
@Suite struct StudyCommandTests {
  /// Paths of an early and a later snapshot.
  private func networks(_ scratch: Scratch) throws -> (String, String) {
    let run = scratch.file("run")
    let result = try Program.run(
      [
        "pretrain", "--data", "fashion-mnist", "--preset", "test", "--kimg", "2", "--tick", "1000",
        "--snapshots", "2", "--threads", "2", "--out", run,
      ], of: "onestep")
    #expect(result.status == 0, "\(result.err)")
    return (run + "/snapshot-000001.safetensors", run + "/snapshot-000002.safetensors")
  }

  private let definition = """
    { "name": "small", "title": "Small", "question": "Which way?", "data": "fashion-mnist",
      "preset": "test", "networks": {"pretrained": null},
      "teachers": [{"network": "pretrained", "steps": 3}], "count": 100, "seeds": [0, 1],
      "cells": [
        { "name": "two", "method": "teacher", "network": "pretrained", "steps": 2 },
        { "name": "three", "method": "teacher", "network": "pretrained", "steps": 3 },
        { "name": "gan", "method": "gan", "network": "pretrained", "learning_rates": [0.001],
          "checkpoints": [1000],
          "options": {"features": ["encoder@0.5", "encoder"], "preset": "wide.json"} },
        { "name": "maps", "method": "spectrum", "network": "pretrained",
          "options": {"images": 8, "removal_images": 2} } ] }
    """

  @Test func spectrum() throws {
    let scratch = try Scratch()
    let (early, late) = try networks(scratch)
    let arguments = [
      "spectrum", "--network", early, "--against", late, "--data", "fashion-mnist", "--preset",
      "test", "--images", "16", "--removal-images", "4", "--out", scratch.file("report"),
    ]
    let result = try Program.run(arguments, of: "onestep", folder: scratch)
    #expect(result.status == 0, "\(result.err)")
    #expect(
      result.out.contains("its one call, from noise of σ = 80") && result.out.contains("(Holm)"))
    let files = scratch.entries()
    for name in [
      "index.html", "summary.json", "frequency-shift.csv", "removal-one-step-generation.svg",
    ] {
      #expect(files.contains("report/\(name)"), "\(name)")
    }
    #expect(try scratch.read("report/frequency-shift.csv").hasPrefix("row,column,value,low,high"))
    // Threads change nothing, and scripts get what the file holds.
    let again = try Program.run(
      arguments.dropLast(2) + ["--threads", "1", "--out", scratch.file("other"), "--json"],
      of: "onestep", folder: scratch)
    #expect(again.status == 0, "\(again.err)")
    #expect(
      try scratch.read("other/frequency-shift.csv") == scratch.read("report/frequency-shift.csv"))
    #expect(try JSON(again.out)["kind"]?.text == "spectrum")
    try Program.run(
      ["spectrum", "--network", early, "--data", "fashion-mnist", "--preset", "fashion16"],
      of: "onestep", folder: scratch
    ).expectFailure(1, "1×16×16", "preset", of: "onestep")
  }

  @Test func studyAndReport() throws {
    let scratch = try Scratch()
    let (_, network) = try networks(scratch)
    let file = try scratch.write("small.json", definition)
    try scratch.write("wide.json", #"{"base": "test", "train": {"head_channels": 24}}"#)
    let study = [
      "study", file, "--network", "pretrained=\(network)", "--cells", "two,three",
    ]
    let first = try Program.run(study, of: "onestep", folder: scratch)
    #expect(first.status == 0, "\(first.err)")
    #expect(first.out == "study-runs/small-001\n")
    let rows = try scratch.read("study-runs/small-001/results.jsonl")
    #expect(rows.count(where: \.isNewline) == 4)
    // Again, and with a cell more: what is there stays as it is.
    let more = try Program.run(
      study.dropLast() + ["two,three,maps"], of: "onestep", folder: scratch)
    #expect(more.status == 0, "\(more.err)")
    let longer = try scratch.read("study-runs/small-001/results.jsonl")
    #expect(longer.hasPrefix(rows) && longer.count(where: \.isNewline) == 5)
    let report = try Program.run(["report"], of: "onestep", folder: scratch)
    #expect(report.status == 0, "\(report.err)")
    #expect(report.out.contains("Report: reports/small-001/index.html"))
    let page = try scratch.read("reports/small-001/index.html")
    #expect(page.contains("data:image/png;base64,") && page.contains("mean frequency"))
    // A cell that trains does so as the command would, in a run of its own.
    let trained = try Program.run(study.dropLast() + ["gan"], of: "onestep", folder: scratch)
    #expect(trained.status == 0, "\(trained.err)")
    let runs = try FileManager.default.contentsOfDirectory(
      atPath: scratch.file("training-runs"))
    let gan = try #require(runs.first { $0.hasSuffix("-gan") })
    let options = try JSON(scratch.read("training-runs/\(gan)/options.json"))
    #expect(options["features"]?.items.map(\.text) == ["encoder@0.5", "encoder"])
    #expect(options["head_channels"]?.number == 24)
    let manifest = try JSON(scratch.read("study-runs/small-001/manifest.json"))
    #expect(manifest["identity"]?["trainer"]?["presets"]?[0]?["train"]?["head_channels"] != nil)
    // Options that no command takes are refused before anything is trained.
    for (wrong, part) in [("[]", "features"), ("[\"encoder@x\"]", "encoder@x")] {
      let other = try scratch.write(
        "other.json",
        definition.replacingOccurrences(of: "[\"encoder@0.5\", \"encoder\"]", with: wrong))
      let result = try Program.run(
        ["study", other, "--network", "pretrained=\(network)"], of: "onestep", folder: scratch)
      #expect(result.status > 0 && result.err.contains(part), "\(result.err)")
    }
    // What cannot be done is said in one line.
    try Program.run(["study", file], of: "onestep", folder: scratch)
      .expectFailure(2, "pretrained", "--network", of: "onestep")
    let student = "training-runs/\(gan)/snapshot-000001.safetensors"
    try Program.run(
      ["study", file, "--network", "pretrained=\(student)"], of: "onestep", folder: scratch
    ).expectFailure(1, student, "one-step generator", "pretrained is a teacher", of: "onestep")
    try Program.run(study.dropLast() + ["four"], of: "onestep", folder: scratch)
      .expectFailure(2, "four", "two, three", of: "onestep")
    try Program.run(["report", scratch.path], of: "onestep", folder: scratch)
      .expectFailure(1, "manifest.json", of: "onestep")
  }

  @Test func studiesAreListed() throws {
    let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).dropFirst()
      .joined(separator: "/")
    let result = try Program.run(
      ["study"], of: "onestep", environment: ["ICL_PROBE_DATA": "/" + root])
    #expect(result.status == 0, "\(result.err)")
    for name in [
      "ability", "freezing", "frequency", "larger", "levers", "levers-further", "minima", "rivals",
    ] {
      #expect(result.out.contains(name + ":"))
    }
  }
}
