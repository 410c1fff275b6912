import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct ChannelwiseClassifierTests {
  private func channel(_ index: Int, of pictures: Tensor) -> Tensor {
    pictures.slice(1, index..<index + 1)
  }

  @Test func everyChannelIsSeenByItself() throws {
    let grey = try ClassifierTests.classifier()
    let channelwise = try ChannelwiseClassifier(grey)
    let pictures = ClassifierTests.pictures([5, 3, 8, 8])
    let (vectors, labels) = channelwise.described(pictures)
    #expect(vectors.shape == [5, 3 * 64] && channelwise.classCount == 27)
    #expect(vectors.values == channelwise.vectors(pictures).values)
    let parts = (0..<3).map { grey.described(channel($0, of: pictures)) }
    let numbers = try parts.map { try #require($0.labels) }
    for picture in 0..<5 {
      for (index, part) in parts.enumerated() {
        let found = Array(vectors.row(picture)[index * 64..<(index + 1) * 64])
        for (a, b) in zip(found, part.vectors.row(picture)) { #expect(abs(a - b) < 1e-5) }
      }
      #expect(
        labels?[picture] == 9 * numbers[0][picture] + 3 * numbers[1][picture] + numbers[2][picture])
    }
    let (maps, own) = (channelwise.maps(pictures), grey.maps(channel(1, of: pictures)))
    for (map, own) in zip(maps, own) {
      #expect(map.shape == [5, 3 * own.shape[1], own.shape[2], own.shape[3]])
      let middle = map.slice(1, own.shape[1]..<2 * own.shape[1])
      for (a, b) in zip(middle.values, own.values) { #expect(abs(a - b) < 1e-5) }
    }
  }

  /// The border of `Preparation.pad` is cut off again.
  @Test func paddingIsUndone() throws {
    let channelwise = try ChannelwiseClassifier(ClassifierTests.classifier())
    let data = try ImageDataset(
      name: "data", shape: ImageShape(channels: 3, height: 8, width: 8),
      pixels: (0..<4 * 192).map { UInt8($0 * 31 % 256) })
    for side in [9, 10] {
      let padded = try data.prepared(by: [.pad(height: side, width: side)])
      try channelwise.check(padded.shape)
      #expect(
        channelwise.vectors(padded.tensor(at: 0..<4)).values
          == channelwise.vectors(data.tensor(at: 0..<4)).values)
    }
    let slope = gradient(at: ClassifierTests.pictures([2, 3, 10, 10])) {
      channelwise.vectors($0).sum()
    }
    #expect(slope.isFinite && slope.slice(2, 1..<9).squared().sum()[0] > 0)
    #expect(slope.slice(2, 0..<1).squared().sum()[0] == 0)
  }

  @Test func mistakes() throws {
    let scratch = try Scratch()
    let grey = try ClassifierTests.classifier()
    let path = scratch.file("grey.safetensors")
    try grey.write(to: path)
    let network = try FeatureNetworkFile.load(path + "@channels")
    #expect(network is ChannelwiseClassifier)
    #expect(
      try FeatureNetworkFile.identity(of: path + "@channels")
        == FeatureNetworkFile.identity(of: path) + "@channels")
    for shape in [(1, 8), (3, 7), (3, 11)] {
      expectUserError(path, "3×8×8") {
        try network.check(ImageShape(channels: shape.0, height: shape.1, width: shape.1))
      }
    }
    let coloured = scratch.file("coloured.safetensors")
    try ClassifierTests.classifier(channels: 3).write(to: coloured)
    expectUserError("coloured", "as they are") {
      _ = try FeatureNetworkFile.load(coloured + "@channels")
    }
    expectUserError("must be channels, or a multiple of 32") {
      _ = try FeatureNetworkFile.load(path + "@channel")
    }
  }
}
