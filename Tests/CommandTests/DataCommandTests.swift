import Foundation
import Testing

@Suite struct DataCommandTests {
  private func inspect(_ arguments: String...) throws -> Program.Result {
    try Program.run(["data", "inspect"] + arguments, of: "onestep")
  }

  @Test func inspectsFashionMNIST() throws {
    let scratch = try Scratch()
    let grid = scratch.file("grid.png")
    let result = try inspect(
      "--data", "fashion-mnist", "--preset", "fashion16", "--out", grid, "--json")
    #expect(result.status == 0, "\(result.err)")
    let json = try JSON(result.out)
    #expect(json["images"]?.whole == 60_000)
    #expect(json["shape"]?.items.compactMap(\.whole) == [1, 16, 16])
    #expect(json["classes"]?[9]?["name"]?.text == "Ankle boot")
    #expect(
      json["classes"]?.items.compactMap { $0["count"]?.whole } == .init(repeating: 6000, count: 10))
    // 784 of the 1024 padded pixels carry the mean 0.2860 that the field knows.
    let mean = try #require(json["mean"]?[0]?.number)
    #expect(abs((mean + 1) / 2 - 0.2860 * 784 / 1024) < 1e-4)
    let png = try Data(contentsOf: URL(fileURLWithPath: grid))
    #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    // Width and height in the header: 8 × 8 images.
    #expect(Array(png[16..<24]) == [0, 0, 0, 128, 0, 0, 0, 128])
    #expect(scratch.entries() == ["grid.png"])
  }

  @Test func printsAText() throws {
    let scratch = try Scratch()
    try ImageFiles.mnist(in: scratch)
    let result = try inspect("--data", scratch.path, "--split", "test")
    #expect(result.status == 0, "\(result.err)")
    for part in ["test split (of train, test)", "12", "1×4×4", "50.00 %", "no labels"] {
      #expect(result.out.contains(part) == (part != "no labels"), "\(part): \(result.out)")
    }
  }

  @Test func oneSeedIsOneGrid() throws {
    let scratch = try Scratch()
    try ImageFiles.mnist(in: scratch)
    let grids = try ["1", "1", "2"].enumerated().map { index, seed in
      let path = scratch.file("\(index).png")
      let result = try inspect(
        "--data", scratch.path, "--out", path, "--seed", seed, "--images", "6")
      #expect(result.status == 0, "\(result.err)")
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
    #expect(grids[0] == grids[1])
    #expect(grids[0] != grids[2])
  }

  @Test func wrongCommandLines() throws {
    for (arguments, problem) in [
      (["data"], "missing command"), (["data", "inspect"], "--data"),
      (["data", "inspect", "--data", "fashion-mnist", "--preset", "fashion"], "fashion28"),
      (["data", "inspect", "--data", "fashion-mnist", "--images", "3"], "--images does nothing"),
    ] {
      try Program.run(arguments, of: "onestep").expectFailure(2, problem, of: "onestep")
    }
  }

  @Test func truncatedGzip() throws {
    let scratch = try Scratch()
    try ImageFiles.mnist(in: scratch)
    let whole = try Data(
      contentsOf: URL(
        fileURLWithPath: "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"))
    try FileManager.default.removeItem(atPath: scratch.file("train-images-idx3-ubyte"))
    let path = try scratch.write("train-images-idx3-ubyte.gz", whole.prefix(100_000))
    try inspect("--data", scratch.path).expectFailure(1, path, "cut short", of: "onestep")
  }

  @Test func wrongLabelCounts() throws {
    let scratch = try Scratch()
    try ImageFiles.mnist(in: scratch)
    let labels = try Data(contentsOf: URL(fileURLWithPath: scratch.file("train-labels-idx1-ubyte")))
    var fewer = labels.dropLast(2)
    fewer[7] = 10
    try scratch.write("train-labels-idx1-ubyte", fewer)
    try inspect("--data", scratch.path).expectFailure(
      1, "train-labels-idx1-ubyte", "holds 10 labels for the 12 images", of: "onestep")
  }

  @Test func unequalSizes() throws {
    let scratch = try Scratch()
    try ImageFiles.mnist(in: scratch)
    // Grids of four and of nine images are pictures of different sizes.
    let folder = scratch.file("pictures")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, count) in [("a.png", "4"), ("b.png", "9")] {
      let made = try inspect(
        "--data", scratch.path, "--images", count, "--out", "\(folder)/\(name)")
      #expect(made.status == 0, "\(made.err)")
    }
    try inspect("--data", folder).expectFailure(
      1, "b.png", "is 1×12×12 where the images before it are 1×8×8", of: "onestep")
  }

  @Test func otherMistakes() throws {
    let scratch = try Scratch()
    try inspect("--data", scratch.path).expectFailure(1, "holds no PNG files", of: "onestep")
    try inspect("--data", scratch.file("x")).expectFailure(1, "no such data", of: "onestep")
    let empty = try scratch.write("a.zip", "")
    try inspect("--data", empty).expectFailure(1, "a.zip", "is empty", of: "onestep")
    try ImageFiles.mnist(in: scratch)
    try inspect("--data", scratch.path, "--preset", "cifar10")
      .expectFailure(1, "images are 1×4×4, the preset cifar10 needs 3×32×32", of: "onestep")
    try inspect("--data", scratch.path, "--out", "/nowhere/grid.png")
      .expectFailure(1, "/nowhere/grid.png", "does not exist", "make it", of: "onestep")
  }
}
