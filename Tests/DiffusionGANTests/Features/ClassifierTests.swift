import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct ClassifierTests {
  typealias Kind = ClassifierConfiguration.Kind

  static func classifier(
    _ kind: Kind = .plain, size: Int = 8, channels: Int = 1, classes: Int = 3
  ) throws -> Classifier {
    let shape = ImageShape(channels: channels, height: size, width: size)
    let network = try ClassifierNetwork(.small(kind, shape, classes: classes))
    return Classifier(network, weights: network.initialParameters(seed: 5))
  }

  static func pictures(_ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    return Tensor((0..<count).map { Float($0 * 7919 % 255) / 127.5 - 1 }, shape: shape)
  }

  @Test(arguments: [8, 16, 28, 32, 64], Kind.allCases)
  func mapsAreOfThreeScales(_ size: Int, _ kind: Kind) throws {
    for channels in [1, 3] {
      let classifier = try Self.classifier(kind, size: size, channels: channels)
      let widths = classifier.network.configuration.widths
      let pictures = Self.pictures([2, channels, size, size])
      let maps = classifier.maps(pictures)
      #expect(maps.count == 3)
      for (scale, map) in maps.enumerated() {
        let extent = size >> scale
        #expect(map.shape == [2, widths[scale], extent, extent])
      }
      #expect(classifier.vectors(pictures).shape == [2, 64])
      let output = classifier.network(pictures, classifier.weights)
      #expect(output.logits.shape == [2, 3])
      #expect(output.logits.isFinite)
    }
  }

  @Test func kindsShareNoLayer() throws {
    let layers = try Kind.allCases.map { kind in
      let specifications = try Self.classifier(kind, size: 16).network.specifications
      return Set(specifications.map { "\($0.name) \($0.shape)" })
    }
    let common = layers[0].intersection(layers[1])
    #expect(common.allSatisfy { $0.hasPrefix("features.bias") || $0.hasPrefix("classes.") })
  }

  @Test func picturesHaveGradients() throws {
    for kind in Kind.allCases {
      let classifier = try Self.classifier(kind)
      let slope = gradient(at: Self.pictures([2, 1, 8, 8])) { classifier.vectors($0).sum() }
      #expect(slope.isFinite && slope.squared().sum()[0] > 0)
    }
  }

  @Test(arguments: Kind.allCases) func aFileIsReadBack(_ kind: Kind) throws {
    let scratch = try Scratch()
    let path = scratch.file("classifier.safetensors")
    let classifier = try Self.classifier(kind, size: 16)
    try classifier.write(to: path)
    let read = try #require(try FeatureNetworkFile.load(path) as? Classifier)
    #expect(read.network.configuration == classifier.network.configuration)
    let pictures = Self.pictures([3, 1, 16, 16])
    #expect(read.vectors(pictures).values == classifier.vectors(pictures).values)
    #expect(read.name == path)
    expectUserError(path, "1×16×16", "3×16×16") {
      try read.check(ImageShape(channels: 3, height: 16, width: 16))
    }
  }

  @Test func wrongFilesAreToldInALine() throws {
    let scratch = try Scratch()
    let path = scratch.file("wrong.safetensors")
    let classifier = try Self.classifier()
    var arrays = classifier.weights.arrays()
    let metadata = Classifier.metadata(classifier.network)
    func load(_ arrays: [(name: String, shape: [Int], values: [Float])], _ text: [String: String])
      throws
    {
      try Safetensors.write(arrays, metadata: text, to: path)
      _ = try FeatureNetworkFile.load(path)
    }
    expectUserError(path, "no feature network that is known") { try load(arrays, [:]) }
    expectUserError(path, "classifier", "kind") { try load(arrays, ["classifier": "{}"]) }
    let other = metadata.mapValues { $0.replacing("\"resolution\": 8", with: "\"resolution\": 6") }
    expectUserError(path, "6×6", "multiple of 4") { try load(arrays, other) }
    let name = arrays[2].name
    arrays[2].shape = [1] + arrays[2].shape
    expectUserError(path, name, "shape") { try load(arrays, metadata) }
    arrays.remove(at: 2)
    expectUserError(path, name) { try load(arrays, metadata) }
    expectUserError("nothing.safetensors") {
      _ = try FeatureNetworkFile.load(scratch.file("nothing.safetensors"))
    }
  }
}
