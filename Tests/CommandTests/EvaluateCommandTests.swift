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

  /// Images that are kept back are compared with where there is no test split, or where it is said.
  @Test func validationImages() throws {
    let scratch = try Scratch()
    try ImageFiles.mnist(in: scratch, count: 40)
    for (splits, from) in [(["--split", "validation"], "validation"), ([], "test")] {
      let result = try Program.run(
        ["evaluate", "--images", scratch.path, "--data", scratch.path + ":30", "--json"] + splits,
        of: "onestep")
      #expect(result.status == 0, "\(result.err)")
      let reference = try JSON(result.out)["reference"]
      #expect(reference?["from"]?.text == from)
      #expect(reference?["images"]?.whole == (from == "test" ? 40 : 10))
    }
    let result = try evaluate(
      "--images", scratch.path, "--data", scratch.path, "--split", "validation")
    #expect(result.status != 0 && result.err.contains("has no validation split"), "\(result.err)")
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

  /// Coloured images whose channels a classifier of grey ones looks at: 1,000 combined classes, counted.
  @Test func combinedClassesAreCounted() throws {
    let scratch = try Scratch()
    let data = try scratch.write(
      "data.safetensors",
      ImageFiles.safetensors(
        "images", "U8", [40, 3, 16, 16], (0..<40 * 768).map { UInt8($0 * $0 / 97 % 251) }))
    let root = URL(fileURLWithPath: #filePath).pathComponents.dropLast(3).joined(separator: "/")
    let classifier = "/\(root.dropFirst())/networks/fashion16-residual.safetensors@channels"
    let arguments = ["--images", data, "--data", data, "--features", classifier]
    let json = try JSON(
      Program.run(["evaluate", "--json"] + arguments, of: "onestep").out)
    let labels = try #require(json["features"]?[1]?["labels"])
    let counts = try #require(labels["classes"])
    #expect(counts.count == 1000)
    let found = (0..<1000).count { (counts[$0]?["generated"]?.whole ?? 0) > 0 }
    #expect(labels["coverage"]?["classes_found"]?.whole == found)
    let text = try Program.run(["evaluate"] + arguments, of: "onestep").out
    #expect(
      text.contains("classes found, of 1000") && text.contains("KL(images ‖ data)"), "\(text)")
    #expect(!text.contains("predicted label "), "\(text)")
  }

  /// What a conditional network draws is looked at class by class.
  @Test func classesAreMeasuredOneByOne() throws {
    let scratch = try Scratch()
    let pretrained = scratch.path + "/pretrained"
    let training = try Program.run(
      [
        "pretrain", "--data", "fashion-mnist", "--preset", "test", "--cond", "--kimg", "1",
        "--out", pretrained,
      ], of: "onestep")
    #expect(training.status == 0, "\(training.err)")
    let arguments = [
      "--network", pretrained + "/snapshot-000001.safetensors", "--data", "fashion-mnist",
      "--preset",
      "test", "--steps", "2", "--count", "400",
    ]
    let json = try JSON(Program.run(["evaluate", "--json"] + arguments, of: "onestep").out)
    let classes = try #require(json["features"]?[0]?["classes"])
    #expect(classes.count == 10)
    #expect((0..<10).reduce(0) { $0 + (classes[$1]?["generated"]?.whole ?? 0) } == 400)
    #expect((0..<10).reduce(0) { $0 + (classes[$1]?["reference"]?.whole ?? 0) } == 400)
    let floor = try (0..<10).map { try #require(classes[$0]?["floor_recall"]?.number) }
    #expect(floor.reduce(0, +) / 10 > 0.4)
    #expect(classes[9]?["name"]?.text == "Ankle boot")
    let text = try Program.run(["evaluate"] + arguments, of: "onestep").out
    #expect(text.contains("recall of the floor") && text.contains("Sandal"), "\(text)")
  }

  /// Several networks have the figures that each has alone.
  @Test func networksOneByOne() throws {
    let scratch = try Scratch()
    let paths = try [1, 2].map { images in
      let folder = scratch.path + "/\(images)"
      let training = try Program.run(
        [
          "pretrain", "--data", "fashion-mnist", "--preset", "test", "--kimg", "\(images)", "--out",
          folder,
        ], of: "onestep")
      #expect(training.status == 0, "\(training.err)")
      return folder + "/snapshot-00000\(images).safetensors"
    }
    func lines(_ paths: [String]) throws -> [String] {
      let result = try Program.run(
        ["evaluate"] + paths.flatMap { ["--network", $0] } + [
          "--data", "fashion-mnist", "--preset", "test", "--steps", "2", "--count", "100", "--json",
        ], of: "onestep")
      #expect(result.status == 0, "\(result.err)")
      return result.out.split(separator: "\n").map(String.init)
    }
    let together = try lines(paths)
    #expect(try together == paths.flatMap { try lines([$0]) })
    #expect(together.count == 2 && together[0] != together[1])
    #expect(together[1].contains("snapshot-000002.safetensors"))
    try evaluate(
      "--network", paths[0], "--network", paths[1], "--data", "fashion-mnist", "--metrics",
      "fid10k_full"
    ).expectFailure(2, "several networks", "give one --network", of: "onestep")
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
      1, "3 images cannot be measured", "6 at least", of: "onestep")
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
