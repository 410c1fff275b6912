import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct PreparationTests {
  private func data(_ pixels: [UInt8], _ height: Int, _ width: Int, channels: Int = 1) throws
    -> ImageDataset
  {
    try ImageDataset(
      name: "data", shape: ImageShape(channels: channels, height: height, width: width),
      pixels: pixels, labels: (0..<pixels.count / (channels * height * width)).map { $0 })
  }

  @Test func paddingIsAsWideOnOppositeSides() throws {
    let padded = try data([1, 2, 3, 4], 1, 2).prepared(by: [.pad(height: 2, width: 4)])
    #expect(padded.pixels == [0, 1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0, 0])
    #expect(padded.labels == [0, 1])
    expectUserError("images are 1×1×2, too large to pad to 2×1") {
      _ = try data([1, 2], 1, 2).prepared(by: [.pad(height: 2, width: 1)])
    }
  }

  /// Halves go to the even byte, so that averaging makes nothing brighter or darker.
  @Test func squaresAreAveraged() throws {
    let sums: [([UInt8], UInt8)] = [
      ([1, 0, 0, 0], 0), ([1, 1, 0, 0], 0), ([1, 1, 1, 0], 1), ([2, 2, 1, 1], 2),
      ([3, 3, 2, 2], 2), ([255, 255, 255, 255], 255), ([255, 255, 255, 254], 255),
    ]
    for (square, mean) in sums {
      #expect(try data(square, 2, 2).prepared(by: [.averageSquares]).pixels == [mean])
    }
    let two = try data([4, 4, 8, 8, 4, 4, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0], 2, 4, channels: 2)
    #expect(try two.prepared(by: [.averageSquares]).pixels == [4, 8, 0, 0])
    expectUserError("images are 1×1×4, an odd side cannot be halved") {
      _ = try data([1, 2, 3, 4], 1, 4).prepared(by: [.averageSquares])
    }
  }

  @Test(arguments: ["fashion28", "fashion16", "test"]) func presets(_ name: String) throws {
    let preset = try Preset(name)
    let prepared = try preset.prepare(data([UInt8](repeating: 200, count: 784), 28, 28))
    #expect(prepared.shape == preset.shape)
    #expect(try preset.prepare(prepared).pixels == prepared.pixels)
    let middle = preset.shape.width / 2 * (preset.shape.width + 1)
    #expect(prepared.pixels[middle] == 200)
  }

  @Test func presetsForOtherData() throws {
    expectUserError("data: images are 1×28×28, the preset cifar10 needs 3×32×32") {
      _ = try Preset("cifar10").prepare(data([UInt8](repeating: 0, count: 784), 28, 28))
    }
    expectUserError("unknown preset 'fashion17'", "fashion28, stacked32, fashion16") {
      _ = try Preset("fashion17")
    }
  }

  @Test func samplesAsFloats() throws {
    let data = try data([0, 51, 255, 102, 204, 153, 1, 2, 3, 4, 5, 6], 2, 3)
    let tensor = data.tensor(at: [1, 0])
    #expect(tensor.shape == [2, 1, 2, 3])
    #expect(
      tensor.values[6..<12].elementsEqual([-1, -0.6, 1, -0.2, 0.6, 0.2]) { abs($0 - $1) < 1e-6 })
    #expect(data.tensor(at: [1]).values == Array(tensor.values[0..<6]))
    let labels = try #require(data.oneHotLabels(of: [1, 0]))
    #expect(labels.shape == [2, 2])
    #expect(labels.values == [0, 1, 1, 0])
  }

  @Test func subsets() throws {
    let subset = try data([1, 2, 3], 1, 1).subset([2, 0, 2])
    #expect(subset.pixels == [3, 1, 3])
    #expect(subset.labels == [2, 0, 2])
    #expect(subset.classCount == 3)
    #expect(subset.classSizes == [1, 0, 2])
  }
}

@Suite struct ShuffledOrderTests {
  @Test func everyEpochHasEverySampleOnce() {
    var order = ShuffledOrder(count: 10, seed: 3)
    let epochs = (0..<3).map { order.samples($0 * 10..<$0 * 10 + 10) }
    for epoch in epochs { #expect(epoch.sorted() == Array(0..<10)) }
    #expect(epochs[0] != epochs[1] && epochs[1] != epochs[2])
  }

  /// Position by position, in batches of 7, and backwards: the same samples.
  @Test func samplesDoNotDependOnBatches() {
    var whole = ShuffledOrder(count: 10, seed: 3)
    let expected = whole.samples(0..<63)
    var batched = ShuffledOrder(count: 10, seed: 3)
    #expect((0..<9).flatMap { batched.samples($0 * 7..<$0 * 7 + 7) } == expected)
    var backwards = ShuffledOrder(count: 10, seed: 3)
    #expect((0..<63).reversed().flatMap { backwards.samples($0..<$0 + 1) } == expected.reversed())
    var other = ShuffledOrder(count: 10, seed: 4)
    #expect(other.samples(0..<63) != expected)
  }
}
