import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct StackedImagesTests {
  private func grey(_ count: Int) throws -> ImageDataset {
    // The first pixel tells which image it is, the second its class.
    try ImageDataset(
      name: "grey", shape: ImageShape(channels: 1, height: 1, width: 2),
      pixels: (0..<count).flatMap { [UInt8($0), UInt8($0 % 3)] },
      labels: (0..<count).map { $0 % 3 },
      classNames: ["a", "b", "c"])
  }

  @Test func everyImageIsOnceInEachChannel() throws {
    let stacked = try grey(200).stacked(name: "stacked", seed: 0)
    #expect(stacked.shape == ImageShape(channels: 3, height: 1, width: 2))
    #expect(stacked.count == 200 && stacked.classCount == 27)
    for channel in 0..<3 {
      let images = (0..<200).map { Int(stacked.pixels[$0 * 6 + 2 * channel]) }
      #expect(images.sorted() == Array(0..<200))
      #expect(images != Array(0..<200))
    }
    for (index, label) in (try #require(stacked.labels)).enumerated() {
      let classes = (0..<3).map { Int(stacked.pixels[index * 6 + 2 * $0 + 1]) }
      #expect(label == 9 * classes[0] + 3 * classes[1] + classes[2])
      #expect(
        stacked.classNames[label] == classes.map { ["a", "b", "c"][$0] }.joined(separator: "+"))
    }
    // Channels are drawn independently: all combinations are there.
    #expect(Set(stacked.labels ?? []).count == 27)
  }

  @Test func theSeedDecides() throws {
    let (first, again) = (
      try grey(50).stacked(name: "s", seed: 1), try grey(50).stacked(name: "s", seed: 1)
    )
    #expect(first.sha256 == again.sha256)
    #expect(try first.sha256 != grey(50).stacked(name: "s", seed: 2).sha256)
  }
}
