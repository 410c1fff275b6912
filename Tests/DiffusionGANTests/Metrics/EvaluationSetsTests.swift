import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct EvaluationSetsTests {
  private func images(_ count: Int) throws -> ImageDataset {
    try ImageDataset(
      name: "images", shape: ImageShape(channels: 1, height: 1, width: 1),
      pixels: (0..<count).map { UInt8($0) })
  }

  /// A Fréchet distance grows as images get fewer: beside a floor of other size it would mean nothing.
  @Test(arguments: [(10, 100), (40, 100), (40, 12)])
  func asManyGeneratedImagesAsOfTheFloor(_ generated: Int, _ count: Int) throws {
    let sets = try EvaluationSets(
      generated: images(generated), train: images(32), heldOut: nil, count: count, seed: 1)
    #expect(sets.generated.count == min(generated, count, 16))
    #expect(sets.floor.count == sets.generated.count && sets.given == generated)
    #expect(Set(sets.floor.pixels).isDisjoint(with: sets.reference.pixels))
  }

  /// Five neighbours and a picture themselves are needed, twice where one split is cut into two.
  @Test func tooFewAreSaidBeforeAnythingIsDrawn() throws {
    try EvaluationSets.check(train: images(12), heldOut: nil)
    try EvaluationSets.check(train: images(6), heldOut: (.test, images(6)))
    for (train, test, fewest) in [(11, nil, 12), (6, 5, 6), (5, 6, 6)] {
      let error = #expect(throws: UserError.self) {
        try EvaluationSets.check(
          train: images(train), heldOut: test.map { (.test, try images($0)) })
      }
      #expect(error?.remedy == "give \(fewest) at least")
    }
  }
}
