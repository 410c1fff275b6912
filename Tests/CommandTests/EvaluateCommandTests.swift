import Foundation
import Testing

@Suite struct EvaluateCommandTests {
  private func evaluate(_ arguments: String...) throws -> Program.Result {
    try Program.run(["evaluate"] + arguments, of: "onestep")
  }

  @Test func trainingImagesAreAtTheFloor() throws {
    let arguments = [
      "--images", "fashion-mnist", "--data", "fashion-mnist", "--preset", "test", "--count", "600",
    ]
    let json = try JSON(
      Program.run(["evaluate", "--json"] + arguments, of: "onestep").out)
    let generated = try #require(json["generated"])
    let pixels = try #require(json["features"]?[0])
    #expect(json["reference"]?["from"]?.text == "test")
    #expect(pixels["dimension"]?.whole == 64)
    #expect(json["features"]?.count == 1)
    for figures in [try #require(pixels["generated"]), try #require(pixels["floor"])] {
      #expect(figures["images"]?.whole == 600)
      let frechet = try #require(figures["frechet"]?.number)
      let error = try #require(figures["frechet_standard_error"]?.number)
      #expect(frechet > 0 && frechet < 1 && error > 0 && error < frechet)
      let kid = try #require(figures["kid"]?.number)
      #expect(abs(kid) < 5 * (try #require(figures["kid_standard_error"]?.number)))
      #expect(try #require(figures["precision"]?.number) > 0.6)
      #expect(try #require(figures["recall"]?.number) > 0.6)
    }
    #expect(generated["copies_of_train_share"]?.number == 1)
    #expect(try #require(generated["label_total_variation"]?.number) < 0.15)
    // One seed is one answer, on any number of threads.
    let again = try Program.run(
      ["evaluate", "--json", "--threads", "1"] + arguments, of: "onestep")
    #expect(try JSON(again.out).value == json.value)
  }

  @Test func noiseIsFarAway() throws {
    let scratch = try Scratch()
    try ImageFiles.mnist(in: scratch, count: 40)
    let noise = ImageFiles.safetensors(
      "images", "U8", [40, 1, 4, 4], .init(repeating: 9, count: 640))
    let path = try scratch.write("noise.safetensors", noise)
    let result = try evaluate("--images", path, "--data", scratch.path, "--json")
    #expect(result.status == 0, "\(result.err)")
    let json = try JSON(result.out)
    let pixels = try #require(json["features"]?[0])
    let generated = try #require(pixels["generated"]?["frechet"]?.number)
    let floor = try #require(pixels["floor"]?["frechet"]?.number)
    #expect(generated > 2 * floor)
    #expect(pixels["generated"]?["recall"]?.number == 0)
    #expect(json["generated"]?["duplicate_share"]?.number == 39.0 / 40)
    let text = try evaluate("--images", path, "--data", scratch.path).out
    for part in ["generated", "floor (train)", "Fréchet", "40 images", "97.50 %"] {
      #expect(text.contains(part), "\(text)")
    }
  }

  /// Data in one piece are cut in two.
  @Test func dataWithoutATestSplit() throws {
    let scratch = try Scratch()
    let data = try scratch.write(
      "data.safetensors",
      ImageFiles.safetensors("images", "U8", [30, 1, 4, 4], ImageFiles.pixels(30)))
    let json = try JSON(evaluate("--images", data, "--data", data, "--json").out)
    #expect(json["reference"]?["images"]?.whole == 15)
    #expect(json["floor"]?["images"]?.whole == 15)
    #expect(json["floor"]?["from"]?.text == "other half")
  }

  @Test func mistakes() throws {
    let scratch = try Scratch()
    try ImageFiles.mnist(in: scratch)
    let data = scratch.path
    let small = try scratch.write(
      "small.safetensors",
      ImageFiles.safetensors("images", "U8", [4, 1, 2, 2], .init(repeating: 0, count: 16)))
    try evaluate("--images", small, "--data", data).expectFailure(
      1, "small.safetensors: images are 1×2×2", "1×4×4", "--preset", of: "onestep")
    let few = try scratch.write(
      "few.safetensors", ImageFiles.safetensors("images", "U8", [3, 1, 4, 4], ImageFiles.pixels(3)))
    try evaluate("--images", few, "--data", data).expectFailure(
      1, "3 images cannot be measured", "4 at least", of: "onestep")
    let scaled = try scratch.write(
      "scaled.safetensors",
      ImageFiles.safetensors(
        "images", "F32", [1, 1, 4, 4],
        (0..<16).flatMap { _ in withUnsafeBytes(of: Float(255)) { Array($0) } }))
    try evaluate("--images", scaled, "--data", data).expectFailure(
      1, "scaled.safetensors", "no picture in −1…1", of: "onestep")
    try evaluate("--data", data).expectFailure(2, "--images", of: "onestep")
    try evaluate("--images", small, "--data", data, "--features", "inception").expectFailure(
      1, "inception", of: "onestep")
  }
}
