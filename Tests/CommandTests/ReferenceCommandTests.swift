import Foundation
import Testing

/// `onestep features statistics`, `onestep evaluate --reference`, and what `features fetch` refuses.
@Suite struct ReferenceCommandTests {
  private func run(_ arguments: String...) throws -> Program.Result {
    try Program.run(arguments, of: "onestep")
  }

  private func data(_ scratch: Scratch, _ name: String, _ count: Int, moved: UInt8 = 0) throws
    -> String
  {
    let pixels = ImageFiles.pixels(count).map { $0 / 2 + moved }
    return try scratch.write(
      name, ImageFiles.safetensors("images", "U8", [count, 1, 4, 4], pixels))
  }

  /// Moving all pixels by 51 of 255 moves each feature by 0.4, and 16 of them by 16 · 0.16.
  @Test func statisticsAreComparedWith() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.npz")
    let images = try data(scratch, "a.safetensors", 40)
    let written = try run("features", "statistics", "--data", images, "--out", path)
    #expect(written.status == 0 && written.out == path + "\n", "\(written.err)")
    for (moved, expected) in [(UInt8(0), 0.0), (51, 2.56)] {
      let other = try data(scratch, "b.safetensors", 40, moved: moved)
      let json = try JSON(run("evaluate", "--images", other, "--reference", path, "--json").out)
      #expect(json["images"]?.whole == 40 && json["reference"]?["dimension"]?.whole == 16)
      #expect(abs(try #require(json["frechet"]?.number) - expected) < 1e-4)
    }
    let text = try run("evaluate", "--images", images, "--reference", path, "--count", "10").out
    for part in ["Fréchet distance", "10 images against \(path)", "fewer images than features"] {
      #expect(text.contains(part), "\(text)")
    }
  }

  @Test func mistakes() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.npz")
    let images = try data(scratch, "a.safetensors", 40)
    #expect(try run("features", "statistics", "--data", images, "--out", path).status == 0)
    let large = try scratch.write(
      "large.safetensors",
      ImageFiles.safetensors("images", "U8", [4, 1, 2, 2], [UInt8](0..<16)))
    try run("evaluate", "--images", large, "--reference", path).expectFailure(
      1, path, "features of 16 dimensions, pixels gives 4", of: "onestep")
    try run("evaluate", "--images", images, "--reference", path, "--data", images).expectFailure(
      2, "exclude each other", of: "onestep")
    try run("evaluate", "--images", images).expectFailure(
      2, "give --data SPEC or --reference FILE", of: "onestep")
    try run("evaluate", "--images", images, "--reference", images).expectFailure(
      1, "a.safetensors", "not a zip archive", of: "onestep")
    try run("features", "statistics", "--data", images, "--out", scratch.file("a.txt"))
      .expectFailure(2, "end the name in .npz", of: "onestep")
    try run("features", "fetch", "efficientnet-lite9").expectFailure(
      2, "efficientnet-lite0", of: "onestep")
  }
}
