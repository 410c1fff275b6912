import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// Narrow networks of random weights against torch: maps by their means and mean squares.
@Suite struct FeatureNetworkGoldenTests {
  static let folder = Golden.folder + "/features/"

  @Test(arguments: ["vgg_bn", "vgg"]) func agreesWithTorch(_ name: String) throws {
    let network = try FeatureNetworkFile.load(Self.folder + "\(name).weights.safetensors")
    let golden = try SafetensorsFile(Self.folder + "\(name).golden.safetensors")
    for set in 0..<2 where golden.contains("\(set)/pictures") {
      let pictures = try Tensor(golden, "\(set)/pictures")
      expectClose(
        network.vectors(pictures), try Tensor(golden, "\(set)/vectors"), 2e-5, "\(name) vectors")
      let maps = network.maps(pictures)
      let count = golden.names.count { $0.hasPrefix("\(set)/map") }
      #expect(maps.count == count && count > 0)
      for (scale, map) in maps.enumerated() {
        let shape = try golden.floats("\(set)/shape\(scale)").map { Int($0) }
        #expect(map.shape == shape)
        let found = Tensor.concatenated([map.pooled, map.squared().pooled], 0)
        expectClose(
          found.reshaped([2, shape[0], shape[1]]), try Tensor(golden, "\(set)/map\(scale)"), 5e-5,
          "\(name) map \(scale)")
      }
    }
  }

  /// As the published discriminators show it pictures: resized, with maps at a half to a sixteenth of the size.
  @Test func aVGGSeesPicturesAtTheSizeAskedFor() throws {
    let path = Self.folder + "vgg_bn.weights.safetensors"
    let resized = try FeatureNetworkFile.load(path + "@64")
    let pictures = ClassifierTests.pictures([2, 1, 16, 16])
    let maps = resized.maps(pictures)
    let expected = try FeatureNetworkFile.load(path).maps(
      pictures.resizedBilinearly(height: 64, width: 64))
    #expect(maps.count == 4 && expected.count == 4)
    for (a, b) in zip(maps, expected) { expectClose(a, b, 1e-6, "map") }
    #expect(resized.preprocessing.hasPrefix("64×64") && resized.name.hasSuffix("@64"))
  }

  @Test func picturesHaveGradients() throws {
    let network = try FeatureNetworkFile.load(Self.folder + "vgg_bn.weights.safetensors")
    let pictures = ClassifierTests.pictures([1, 1, 16, 16])
    let slope = gradient(at: pictures) { network.vectors($0).sum() }
    #expect(slope.shape == pictures.shape && slope.isFinite && slope.squared().sum()[0] > 0)
  }

  @Test(arguments: [
    ("vgg_bn", "features.1.running_var"), ("vgg", "features.2.bias"),
  ]) func arraysAreNamed(_ name: String, _ array: String) throws {
    let scratch = try Scratch()
    let path = scratch.file("\(name).safetensors")
    let file = try SafetensorsFile(Self.folder + "\(name).weights.safetensors")
    let names = try file.names.filter { try file.type(of: $0) == .float32 }
    func write(_ change: (String, [Int]) -> [Int]?) throws {
      try Safetensors.write(
        names.compactMap { name in
          let shape = try file.shape(of: name)
          return try change(name, shape).map { (name, $0, try file.floats(name)) }
        }, to: path)
    }
    try write { $0 == array ? nil : $1 }
    expectUserError(path, array) { _ = try FeatureNetworkFile.load(path) }
    try write { $0 == array ? $1.reversed() + [1] : $1 }
    expectUserError(path, array, "shape") { _ = try FeatureNetworkFile.load(path) }
  }

  @Test func aGapInAVGGIsTold() throws {
    let scratch = try Scratch()
    let path = scratch.file("gap.safetensors")
    let file = try SafetensorsFile(Self.folder + "vgg.weights.safetensors")
    try Safetensors.write(
      file.names.filter { !$0.hasPrefix("features.2.") }.map {
        ($0, try file.shape(of: $0), try file.floats($0))
      }, to: path)
    expectUserError(path, "features.5.weight", "no place") {
      _ = try FeatureNetworkFile.load(path)
    }
  }
}
