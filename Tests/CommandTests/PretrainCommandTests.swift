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
    other.expectFailure(1, "another run: total is 1000 there", of: "onestep")
  }

  @Test(arguments: [SIGTERM, SIGUSR1, SIGHUP, SIGINT])
  func aStoppedRunSavesItsState(_ number: Int32) throws {
    let study = try TinyStudy()
    func training(_ out: String) -> [String] {
      [
        "pretrain", "--data", "pictures.safetensors", "--preset", "tiny.json", "--threads", "1",
        "--kimg", "10", "--tick", "4000", "--snapshots", "7", "--out", out,
      ]
    }
    /// The averages of ticks, without what is of the machine.
    func rows(_ out: String) throws -> String {
      try study.scratch.read("\(out)/stats.jsonl")
        .replacing(/, "images_per_second": [^\n]*/, with: "")
    }
    func files(_ out: String) -> [String] {
      study.scratch.entries().filter { $0.hasPrefix("\(out)/") }.map {
        String($0.dropFirst(out.count))
      }
      .sorted()
    }
    let running = try Program.start(training("stopped"), of: "onestep", folder: study.scratch)
    let first = study.scratch.file("stopped/fakes-000000.png")
    while running.isRunning, !FileManager.default.fileExists(atPath: first) { usleep(1000) }
    running.send(number)
    let stopped = try running.finish()
    // A closed terminal is a user's wish, as Ctrl-C is; batch systems are told to begin the command again.
    let isUsers = [SIGINT, SIGHUP].contains(number)
    #expect(stopped.status == (isUsers ? 130 : 75), "\(stopped.err)")
    #expect(stopped.err.contains("images; the state is saved; the same command continues"))
    for out in ["stopped", "whole"] { try study.succeed(training(out)) }
    // Nothing tells that it was stopped: the row of the tick that it stopped in has all its steps.
    let (pieces, whole) = (try rows("stopped"), try rows("whole"))
    #expect(pieces == whole)
    #expect(files("stopped") == files("whole") && files("whole").count > 8)
    let (a, b) = ("stopped/snapshot-000010.safetensors", "whole/snapshot-000010.safetensors")
    #expect(try bytes(study.scratch.file(a)) == bytes(study.scratch.file(b)))
  }

  /// Files are named by thousands of images: of more snapshots than those, none takes another's place.
  @Test func snapshotsTakeNobodysPlace() throws {
    let study = try TinyStudy()
    for count in ["1", "8"] {
      try study.succeed([
        "pretrain", "--data", "pictures.safetensors", "--preset", "tiny.json", "--threads", "1",
        "--kimg", "2", "--tick", "100", "--snapshots", count, "--out", count,
      ])
    }
    for kind in ["snapshot-000000.safetensors", "fakes-000000.png", "snapshot-000002.safetensors"] {
      let (one, many) = (study.scratch.file("1/" + kind), study.scratch.file("8/" + kind))
      #expect(try bytes(one) == bytes(many), "\(kind)")
    }
    let names = study.scratch.entries().filter { $0.hasPrefix("8/snapshot-") }.sorted()
    #expect(names == (0...2).map { "8/snapshot-00000\($0).safetensors" })
  }

  /// Two sets of one name and size are two runs.
  @Test func aRunKnowsItsData() throws {
    let scratch = try Scratch()
    let run = scratch.file("run")
    func pretrain(_ salt: String) throws -> Program.Result {
      let folder = scratch.file(salt)
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try scratch.write(
        "\(salt)/faces.safetensors",
        ImageFiles.safetensors("images", "U8", [40, 1, 8, 8], ImageFiles.pixels(160, salt)))
      return try Program.run(
        [
          "pretrain", "--data", folder + "/faces.safetensors", "--preset", "test", "--kimg", "1",
          "--threads", "2", "--snapshots", "1", "--out", run,
        ], of: "onestep")
    }
    let first = try pretrain("one")
    #expect(first.status == 0, "\(first.err)")
    try pretrain("other").expectFailure(1, "data_sha256: digest differs", of: "onestep")
    #expect(try pretrain("one").status == 0)
  }

  /// Colour images of a size that no preset has, from pretraining to one step; options count more than the file.
  @Test func aPresetOfOnesOwn() throws {
    let scratch = try Scratch()
    try scratch.write(
      "mine.json",
      """
      {"base": "test", "images": {"channels": 3, "height": 16, "width": 16},
       "network": {"attn_resolutions": [8]}, "pretrain": {"total": 1000, "batch": 20, "augment": 0.1},
       "train": {"total": 1000, "batch": 20}}
      """)
    let values = ImageFiles.pixels(30 * 3 * 16, "mine")
    try scratch.write(
      "faces.safetensors", ImageFiles.safetensors("images", "U8", [30, 3, 16, 16], values))
    func onestep(_ arguments: String...) throws -> Program.Result {
      try Program.run(
        arguments + ["--preset", "mine.json", "--data", "faces.safetensors", "--threads", "2"],
        of: "onestep", folder: scratch)
    }
    let first = try onestep(
      "pretrain", "--learning-rate", "0.002", "--snapshots", "1", "--out", "pretrained")
    #expect(first.status == 0, "\(first.err)")
    let options = try JSON(scratch.read("pretrained/options.json"))
    #expect(options["preset"]?.text == "mine" && options["batch"]?.whole == 20)
    #expect(options["learning_rate"]?.number == 0.002 && options["augment"]?.number == 0.1)
    let second = try onestep(
      "train", "--network", "pretrained/snapshot-000001.safetensors", "--batch", "10",
      "--snapshots", "1", "--out", "one")
    #expect(second.status == 0, "\(second.err)")
    #expect(try JSON(scratch.read("one/options.json"))["batch"]?.whole == 10)
    #expect(scratch.entries().contains("one/snapshot-000001.safetensors"))
    // Studies train by it too.
    try scratch.write(
      "own.json",
      """
      {"name": "own", "title": "Own", "question": "Whose?", "data": "faces.safetensors", "preset": "mine.json",
       "networks": {"p": null}, "count": 20, "seeds": [0], "cells": [
         {"name": "gan", "method": "gan", "network": "p", "learning_rates": [0.001], "checkpoints": [1000]}]}
      """)
    let study = try Program.run(
      [
        "study", "own.json", "--network", "p=pretrained/snapshot-000001.safetensors", "--threads",
        "2", "--out", "study",
      ], of: "onestep", folder: scratch)
    #expect(study.status == 0, "\(study.err)")
    #expect(try scratch.read("study/results.jsonl").contains("held-out"))
    let shown = try Program.run(["presets", "mine.json"], of: "onestep", folder: scratch)
    #expect(try JSON(shown.out)["network"]?["img_channels"]?.whole == 3, "\(shown.err)")
    try scratch.write("wrong.json", #"{"base": "test", "train": {"rate": 1}}"#)
    try Program.run(["presets", "wrong.json"], of: "onestep", folder: scratch)
      .expectFailure(1, "wrong.json, train", "unknown key \"rate\"", of: "onestep")
    #expect(
      try Program.run(["presets"], of: "onestep").out.contains("fashion16   1×16×16"))
  }

  @Test func whatCannotWorkIsSaidBeforeAnythingIsDrawn() throws {
    let scratch = try Scratch()
    let run = scratch.file("run")
    #expect(try Program.run(pretrain(run), of: "onestep").status == 0)
    let snapshot = run + "/snapshot-000001.safetensors"
    func sample(_ network: String, _ out: String, _ rest: String...) throws -> Program.Result {
      try Program.run(
        ["sample", "--network", network, "--seeds", "0-3", "--out", out] + rest, of: "onestep",
        folder: scratch)
    }
    try sample(snapshot, scratch.file("none/x.png"))
      .expectFailure(1, "none does not exist", of: "onestep")
    try sample(run + "/fakes-000001.png", scratch.file("x.png"))
      .expectFailure(1, "is a picture", of: "onestep")
    // A path of one character is a folder like any other.
    #expect(try sample(snapshot, "a", "--steps", "2").status == 0)
    #expect(FileManager.default.fileExists(atPath: scratch.file("a/000003.png")))
    // Weights that are not finite.
    var bytes = try bytes(snapshot)
    bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xC0, 0x7F])
    let broken = scratch.file("broken.safetensors")
    try bytes.write(to: URL(fileURLWithPath: broken))
    try sample(broken, scratch.file("x.png"))
      .expectFailure(1, "broken.safetensors", "not all finite", of: "onestep")
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
