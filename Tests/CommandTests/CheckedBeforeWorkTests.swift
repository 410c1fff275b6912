import Foundation
import Testing

/// What is wrong with a command line, its files and folders is said in one line before anything is
/// drawn or trained.
@Suite struct CheckedBeforeWorkTests {
  /// A network of 8×8 images, hardly trained.
  private func network(_ scratch: Scratch) throws -> String {
    let result = try Program.run(
      [
        "pretrain", "--data", "fashion-mnist", "--preset", "test", "--kimg", "1", "--snapshots",
        "1", "--threads", "2", "--out", scratch.file("grey"),
      ], of: "onestep", folder: scratch)
    #expect(result.status == 0, "\(result.err)")
    return scratch.file("grey") + "/snapshot-000001.safetensors"
  }

  /// A network that the project ships, of 16×16 images.
  private var shipped: String {
    let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).dropFirst()
    return "/" + root.joined(separator: "/") + "/networks/fashion16.safetensors"
  }

  @Test func everyCommand() throws {
    let scratch = try Scratch()
    let network = try network(scratch)
    let data = ["--data", "fashion-mnist", "--preset", "test"]
    try scratch.write("file", "x")
    try FileManager.default.createDirectory(
      atPath: scratch.file("mine"), withIntermediateDirectories: false)
    try scratch.write("mine/letter.txt", "x")
    let few = try scratch.write(
      "few.safetensors",
      ImageFiles.safetensors("images", "U8", [7, 1, 8, 8], ImageFiles.pixels(28)))
    let before = scratch.entries()
    func refused(
      _ status: Int32, _ words: [String], _ parts: String...,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let result = try Program.run(words, of: "onestep", folder: scratch)
      #expect(result.status == status, "\(result.err)", sourceLocation: sourceLocation)
      let lines = result.err.split(separator: "\n")
      #expect(
        lines.count == 1 && result.out.isEmpty, "\(words): \(result.err)",
        sourceLocation: sourceLocation)
      for part in parts {
        #expect(
          result.err.contains(part), "\(words): \(result.err)", sourceLocation: sourceLocation)
      }
      #expect(scratch.entries() == before, "\(words)", sourceLocation: sourceLocation)
    }
    let sample = ["sample", "--network", network]
    try refused(2, sample + ["--out", "x.gif"], ".gif", "safetensors")
    try refused(1, sample + ["--out", "none/x.png"], "none", "make it")
    try refused(1, sample + ["--out", "file/x"], "file is a file")
    try refused(2, sample + ["--out", "x.png", "--class", "3"], "no classes")
    try refused(2, sample + ["--out", "x.png", "--batch", "0"], "--batch")
    try refused(1, sample + ["--out", "x.png", "--beside", shipped], "1×16×16")
    try refused(2, ["pretrain"] + data + ["--augment", "2"], "--augment")
    try refused(1, ["pretrain"] + data + ["--out", "mine"], "letter.txt", "options.json")
    try refused(1, ["pretrain"] + data + ["--out", "file"], "is a file")
    try refused(1, ["pretrain", "--data", few, "--preset", "test", "--cond"], "no labels")
    let train = ["train", "--network", network]
    try refused(1, train + data + ["--out", "mine"], "letter.txt")
    try refused(2, train + data + ["--packing", "3"], "parts of 2", "divisor")
    try refused(
      2, train + data + ["--packing", "2", "--discriminator", "convolutional"], "one by one")
    try refused(1, train + ["--data", "fashion-mnist", "--preset", "fashion16"], "1×16×16", "8×8")
    let distill = ["distill", "--network", network, "--method", "regression"] + data
    try refused(1, distill + ["--out", "mine"], "letter.txt")
    try refused(2, distill + ["--discriminator-learning-rate", "0.1"], "no discriminator")
    try refused(2, distill + ["--perceptual-weight", "1"], "pixels alone")
    let progressive = ["distill", "--network", network, "--method", "progressive"] + data
    for (option, value) in [("decay", "0.5"), ("start-sigma", "1"), ("clip-pictures", "off")] {
      try refused(
        2, progressive + ["--\(option)", value], "--\(option) does nothing for progressive")
    }
    try refused(
      1,
      [
        "distill", "--network", network, "--method", "regression", "--data", "fashion-mnist",
        "--preset", "fashion16",
      ], "1×8×8", "1×16×16")
    try refused(2, ["features", "train"] + data + ["--shift", "8"], "out of sight")
    try refused(1, ["features", "train"] + data + ["--out", "mine"], "letter.txt")
    try refused(
      1, ["evaluate", "--network", network, "--data", "fashion-mnist", "--preset", "fashion16"],
      "1×8×8", "1×16×16")
    try refused(1, ["evaluate", "--network", network, "--data", few], "7 images are too few")
    try refused(1, ["spectrum", "--network", network] + data + ["--out", "file/x"], "is a file")
    try refused(2, ["data", "inspect"] + data + ["--out", "x.gif"], ".png")
    try refused(1, ["data", "inspect"] + data + ["--out", "none/x.png"], "make it")
  }

  private func study(_ cell: String) -> String {
    """
    { "name": "s", "title": "S", "question": "?", "data": "fashion-mnist", "preset": "test",
      "networks": {"pretrained": null}, "count": 64, "seeds": [0],
      "teachers": [{"network": "pretrained", "steps": 2}], "cells": [
      { "name": "gan", "method": "gan", "network": "pretrained", "learning_rates": [0.001], \(cell) } ] }
    """
  }

  @Test func aStudyKeepsWhatItMakesInItsFolder() throws {
    let scratch = try Scratch()
    let network = try network(scratch)
    func run(_ cell: String, _ rest: [String] = []) throws -> Program.Result {
      try Program.run(
        ["study", scratch.write("s.json", study(cell)), "--network", "pretrained=\(network)"]
          + rest,
        of: "onestep", folder: scratch)
    }
    for (cell, parts) in [
      ("\"checkpoints\": [1500]", ["whole thousands", "gan"]),
      ("\"checkpoints\": [1000], \"options\": {\"colour\": 1}", ["colour", "s, gan"]),
      ("\"checkpoints\": [1000], \"options\": {\"batch\": 1}", ["--batch", "s, gan"]),
    ] {
      let result = try run(cell)
      #expect(result.status != 0 && result.err.split(separator: "\n").count == 1, "\(result.err)")
      for part in parts { #expect(result.err.contains(part), "\(result.err)") }
    }
    #expect(!scratch.entries().contains { $0.hasPrefix("study-runs") })
    let result = try run("\"checkpoints\": [1000]", ["--out", "all"])
    #expect(result.status == 0 && result.out == "all\n", "\(result.err)")
    let made = scratch.entries()
    #expect(
      made.contains {
        $0.hasPrefix("all/training-runs/by-options-") && $0.contains("-fashion-mnist-test-gan/")
      })
    #expect(made.contains("all/results.jsonl"))
    #expect(!made.contains { $0.hasPrefix("training-runs") })
    let lines = result.err.split(separator: "\n")
    for (line, next) in zip(lines, lines.dropFirst()) { #expect(line != next) }
  }

  /// A rate of 10 makes one picture of all: the run stops, with the state and snapshots before it.
  @Test func aRunThatCollapsesStops() throws {
    let scratch = try Scratch()
    let run = scratch.file("run")
    let result = try Program.run(
      [
        "distill", "--network", network(scratch), "--method", "regression", "--teacher-steps", "2",
        "--pool", "64", "--data", "fashion-mnist", "--preset", "test", "--learning-rate", "10",
        "--kimg", "12", "--tick", "1000", "--snapshots", "3", "--threads", "2",
        // With pictures cut off there is nothing left to learn from before the first snapshot.
        "--clip-pictures", "off", "--out", run,
      ], of: "onestep")
    #expect(result.status == 1 && result.out.isEmpty, "\(result.err)")
    let last = result.err.split(separator: "\n").last.map(String.init) ?? ""
    #expect(last.hasPrefix("onestep: \(run): ") && last.contains("--learning-rate"), "\(last)")
    let kept = try #require(last.firstMatch(of: /the state of (\d+) images is kept/), "\(last)")
    let rows = try scratch.read("run/stats.jsonl").split(separator: "\n")
    #expect(try JSON(String(try #require(rows.last)))["images"]?.whole == Int(kept.1))
    #expect(scratch.entries().contains("run/state.safetensors"))
    #expect(scratch.entries().contains("run/snapshot-000004.safetensors"))
    #expect(!scratch.entries().contains("run/snapshot-000012.safetensors"))
  }

  /// A seed's picture, as bytes in a file, whatever is drawn with it; the largest seed has one too.
  @Test func imagesDoNotDependOnTheBatch() throws {
    let scratch = try Scratch()
    let network = try network(scratch)
    func files(_ out: String, _ seeds: String, _ batch: String) throws -> [String: Data] {
      let result = try Program.run(
        [
          "sample", "--network", network, "--seeds", seeds, "--batch", batch, "--steps", "2",
          "--out",
          scratch.file(out),
        ], of: "onestep")
      #expect(result.status == 0, "\(result.err)")
      let names = try FileManager.default.contentsOfDirectory(atPath: scratch.file(out))
      return try Dictionary(
        uniqueKeysWithValues: names.map {
          ($0, try Data(contentsOf: URL(fileURLWithPath: scratch.file(out) + "/" + $0)))
        })
    }
    let all = try files("a", "0-20,18446744073709551615", "64")
    #expect(all.count == 22)
    #expect(try files("b", "0-20,18446744073709551615", "7") == all)
    let one = try files("c", "13", "1")
    #expect(one["000013.png"] == all["000013.png"])
  }

  @Test func oneImageAgainAndAgainIsSaid() throws {
    let scratch = try Scratch()
    try ImageFiles.mnist(in: scratch, count: 40)
    // One image but for the last level of some values.
    let pixels = (0..<640).map { place -> UInt8 in
      let level = 9 + 14 * (place % 16)
      return UInt8(place * 7919 % 5 == 0 ? level + 1 : level)
    }
    let path = try scratch.write(
      "one.safetensors", ImageFiles.safetensors("images", "U8", [40, 1, 4, 4], pixels))
    let words = ["evaluate", "--images", path, "--data", scratch.path]
    let text = try Program.run(words, of: "onestep")
    #expect(text.out.contains("warning: all generated images are one image"), "\(text.out)")
    let json = try JSON(Program.run(words + ["--json"], of: "onestep").out)
    #expect(json["generated"]?["warning"]?.text?.contains("one image") == true)
    #expect(try #require(json["generated"]?["spread"]?.number) < 0.01)
    let real = try Program.run(
      ["evaluate", "--images", scratch.path, "--data", scratch.path, "--json"], of: "onestep")
    #expect(try #require(JSON(real.out)["generated"]?["spread"]?.number) > 0.5)
  }
}
