import Foundation
import Testing

/// `onestep features train`, and `onestep evaluate` with what it made.
@Suite struct FeaturesCommandTests {
  private func train(_ out: String, _ more: String...) throws -> Program.Result {
    try Program.run(
      [
        "features", "train", "--data", "fashion-mnist", "--preset", "test", "--kimg", "3",
        "--snapshots", "2", "--threads", "2", "--out", out,
      ] + more, of: "onestep")
  }

  @Test func imagesAreComparedByAClassifier() throws {
    let scratch = try Scratch()
    let run = scratch.file("run")
    let trained = try train(run, "--kind", "residual", "--seed", "2")
    #expect(trained.status == 0, "\(trained.err)")
    let snapshot = run + "/snapshot-000003.safetensors"
    #expect(trained.out == snapshot + "\n")
    let rows = try String(contentsOfFile: run + "/stats.jsonl", encoding: .utf8)
      .split(separator: "\n").map { try JSON(String($0)) }
    let last = try #require(rows.last)
    let accuracy = try #require(last["test_accuracy"]?.number)
    #expect(accuracy > 0.3)
    #expect(try #require(last["test_accuracy_low"]?.number) < accuracy)
    #expect(last["loss"]?.number != nil && last["accuracy"]?.number != nil)

    let arguments = [
      "evaluate", "--images", "fashion-mnist", "--data", "fashion-mnist", "--preset", "test",
      "--count", "300", "--features", snapshot, "--features", "pixels", "--features", snapshot,
    ]
    let json = try JSON(Program.run(arguments + ["--json"], of: "onestep").out)
    let spaces = try #require(json["features"]).items
    #expect(spaces.compactMap { $0["name"]?.text } == ["pixels", snapshot])
    #expect(spaces.compactMap { $0["dimension"]?.whole } == [64, 64])
    let labels = try #require(spaces[1]["labels"])
    #expect(try #require(labels["total_variation"]?.number) < 0.3)
    let classes = try #require(labels["classes"]).items
    #expect(classes.count == 10)
    #expect(classes.compactMap { $0["generated"]?.whole }.reduce(0, +) == 300)
    let text = try Program.run(arguments, of: "onestep").out
    for part in ["pixels", snapshot, "predicted label", "floor (train)"] {
      #expect(text.contains(part), "\(text)")
    }
    try Program.run(
      [
        "evaluate", "--images", "fashion-mnist", "--data", "fashion-mnist", "--features", snapshot,
      ], of: "onestep"
    ).expectFailure(1, snapshot, "1×8×8", of: "onestep")
  }

  @Test func aNetworkIsEvaluatedAsItDraws() throws {
    let scratch = try Scratch()
    let run = scratch.file("run")
    let trained = try Program.run(
      [
        "pretrain", "--data", "fashion-mnist", "--preset", "test", "--kimg", "1", "--out", run,
      ], of: "onestep")
    #expect(trained.status == 0, "\(trained.err)")
    let snapshot = run + "/snapshot-000001.safetensors"
    let common = ["--data", "fashion-mnist", "--preset", "test", "--count", "80", "--json"]
    let drawn = try Program.run(
      ["evaluate", "--network", snapshot, "--steps", "4"] + common, of: "onestep")
    #expect(drawn.status == 0, "\(drawn.err)")
    let images = scratch.file("images.safetensors")
    let sampled = try Program.run(
      ["sample", "--network", snapshot, "--steps", "4", "--seeds", "0-79", "--out", images],
      of: "onestep")
    #expect(sampled.status == 0, "\(sampled.err)")
    let given = try Program.run(["evaluate", "--images", images] + common, of: "onestep")
    let (a, b) = (try JSON(drawn.out), try JSON(given.out))
    #expect(a["features"]?[0]?.value == b["features"]?[0]?.value)
    try Program.run(
      ["evaluate", "--network", snapshot, "--images", images] + common, of: "onestep"
    ).expectFailure(2, "exclude", of: "onestep")
    try Program.run(
      ["evaluate", "--network", snapshot, "--data", "fashion-mnist"], of: "onestep"
    ).expectFailure(1, snapshot, "1×8×8", "--preset", of: "onestep")
  }

  @Test func aRunWithoutLabelsIsRefused() throws {
    let scratch = try Scratch()
    let path = try scratch.write(
      "bare.safetensors",
      ImageFiles.safetensors("images", "U8", [4, 1, 8, 8], .init(repeating: 9, count: 256)))
    try Program.run(
      [
        "features", "train", "--data", path, "--preset", "test", "--out", scratch.file("run"),
      ], of: "onestep"
    ).expectFailure(1, "labels", of: "onestep")
  }
}
