import Foundation
import Testing

/// `onestep evaluate --metrics`.
@Suite struct NamedMetricCommandTests {
  private func evaluate(_ arguments: String...) throws -> Program.Result {
    try Program.run(["evaluate"] + arguments, of: "onestep")
  }

  private func images(_ scratch: Scratch, _ name: String, moved: UInt8 = 0) throws -> String {
    let pixels = ImageFiles.pixels(10_000).map { $0 / 2 + moved }
    return try scratch.write(
      name, ImageFiles.safetensors("images", "U8", [10_000, 1, 4, 4], pixels))
  }

  /// Moving all pixels by 51 of 255 moves each of 16 features by 0.4: 16 · 0.16.
  @Test func aLineIsAppendedForEachMetric() throws {
    let scratch = try Scratch()
    let data = try images(scratch, "data.safetensors")
    let moved = try images(scratch, "moved.safetensors", moved: 51)
    let out = scratch.file("out")
    let file = out + "/metric-fid10k_full.jsonl"
    try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
    // What a killed program left.
    try Data(#"{"results": {"fid10"#.utf8).write(to: URL(fileURLWithPath: file))
    var printed = ""
    for _ in 0..<2 {
      let result = try evaluate(
        "--images", moved, "--data", data, "--metrics", "fid10k_full, fid10k_full", "--out", out)
      #expect(result.status == 0, "\(result.err)")
      printed += result.out
    }
    #expect(try String(contentsOfFile: file, encoding: .utf8) == printed)
    let lines = printed.split(separator: "\n")
    #expect(lines.count == 2)
    for line in lines {
      let json = try JSON(String(line))
      #expect(abs(try #require(json["results"]?["fid10k_full"]?.number) - 2.56) < 1e-4)
      #expect(json["metric"]?.text == "fid10k_full" && json["features"]?.text == "pixels")
      #expect(json["reference"]?["images"]?.whole == 10_000)
      #expect(json["deviations"]?[0]?.text?.contains("Inception of 2015") == true)
      #expect(json.keys.contains("snapshot_pkl") && json["snapshot_pkl"]?.text == nil)
    }
  }

  @Test func mistakes() throws {
    let scratch = try Scratch()
    let data = try images(scratch, "data.safetensors")
    let file = try scratch.write("file", "")
    func refused(_ status: Int32, _ rest: [String], _ first: String, _ second: String = "") throws {
      try Program.run(["evaluate", "--images", data, "--data", data] + rest, of: "onestep")
        .expectFailure(status, first, second, of: "onestep")
    }
    try refused(2, ["--metrics", "fid5k"], "no metric 'fid5k'", "fid50k_full")
    try refused(2, ["--metrics", "ppl2_wend"], "ppl2_wend is not measured", "latent space")
    try refused(2, ["--metrics", "fid10k_full,"], "--metrics", "empty item")
    try refused(
      2, ["--metrics", "fid10k_full", "--split", "test"], "--split and --metrics exclude",
      "all training images")
    try refused(2, ["--metrics", "is50k"], "Inception of 2015, not of pixels", "--features")
    try Program.run(
      ["evaluate", "--images", data, "--data", data + ":9000", "--metrics", "fid10k_full"],
      of: "onestep"
    ).expectFailure(2, "these data keep some back", "without a number", of: "onestep")
    try refused(
      1, ["--metrics", "fid10k_full,kid50k_full"], "kid50k_full is of 50000",
      "data.safetensors: ")
    try refused(2, ["--metrics", "fid10k_full", "--count", "9"], "--count and --metrics exclude")
    try refused(
      2, ["--metrics", "fid10k_full", "--features", file, "--features", data],
      "one feature network, 2 were given")
    try refused(1, ["--metrics", "fid10k_full", "--out", file], file, "--out")
    try refused(2, ["--out", scratch.path], "--out does nothing without --metrics")
    let closed = scratch.file("metric-fid10k_full.jsonl")
    try FileManager.default.createDirectory(atPath: closed, withIntermediateDirectories: true)
    try refused(
      1, ["--metrics", "fid10k_full", "--out", scratch.path], closed, "is a folder, not a file")
  }
}
