import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// Against the model of the package `efficientnet-lite-pytorch` under torch: a narrow network of random
/// weights at a size that does not halve evenly, and the published networks where they are fetched.
@Suite struct EfficientNetLiteTests {
  private static let folder = FeatureNetworkGoldenTests.folder

  private func compare(_ network: any FeatureNetwork, _ name: String) throws {
    let golden = try SafetensorsFile(Self.folder + "\(name).golden.safetensors")
    for set in 0..<2 {
      let pictures = try Tensor(golden, "\(set)/pictures")
      expectClose(
        network.vectors(pictures), try Tensor(golden, "\(set)/vectors"), 5e-5, "\(name) vectors")
      let maps = network.maps(pictures)
      #expect(maps.count == 4)
      for (scale, map) in maps.enumerated() {
        let shape = try golden.floats("\(set)/shape\(scale)").map { Int($0) }
        #expect(map.shape == shape)
        let found = Tensor.concatenated([map.pooled, map.squared().pooled], 0)
        expectClose(
          found.reshaped([2, shape[0], shape[1]]), try Tensor(golden, "\(set)/map\(scale)"), 1e-4,
          "\(name) map \(scale)")
      }
    }
  }

  @Test func agreesWithTorch() throws {
    let file = try WeightsFile.open(Self.folder + "efficientnet.weights.pth")
    try compare(EfficientNetLite(file, size: 40), "efficientnet")
  }

  @Test(arguments: ["lite0", "lite2"]) func publishedNetworkAgreesWithTorch(_ kind: String) throws {
    let name = "efficientnet-\(kind)"
    let entry = try #require(FeatureNetworkCatalogue.entry(named: name))
    guard ModelStore().isFetched(entry) else { return }
    let network = try #require(try FeatureNetworkFile.load(name) as? EfficientNetLite)
    #expect(network.size == (kind == "lite0" ? 224 : 260) && network.name == name)
    try compare(network, "efficientnet_\(kind)")
  }

  @Test func picturesHaveGradients() throws {
    let file = try WeightsFile.open(Self.folder + "efficientnet.weights.pth")
    let network = try EfficientNetLite(file, size: 32)
    let pictures = ClassifierTests.pictures([1, 1, 16, 16])
    let direction = ClassifierTests.pictures([1, 1, 16, 16]) + 0.5
    func loss(_ x: Tensor) -> Tensor { network.vectors(x).sum() }
    let slope = gradient(at: pictures) { loss($0) }
    let step: Float = 1e-3
    let difference =
      (loss(pictures + direction.scaled(by: step)) - loss(pictures - direction.scaled(by: step)))[0]
      / (2 * step)
    let expected = (slope * direction).sum()[0]
    #expect(abs(difference - expected) < 0.03 * max(abs(expected), 0.1))
  }

  @Test func namesAndSizes() throws {
    let scratch = try Scratch()
    let store = ModelStore(environment: ["ICL_PROBE_MODELS": scratch.path])
    expectUserError("efficientnet-lite0", "onestep features fetch efficientnet-lite0") {
      _ = try FeatureNetworkFile.Reference("efficientnet-lite0@64", store: store)
    }
    let entry = try #require(FeatureNetworkCatalogue.entry(named: "efficientnet-lite0"))
    try scratch.write(entry.file, [1])
    let reference = try FeatureNetworkFile.Reference("efficientnet-lite0@64", store: store)
    #expect(reference.path == store.path(of: entry) && reference.size == 64)
    for size in ["", "0", "48", "2048", "x"] {
      expectUserError("multiple of 32", "efficientnet-lite0@64") {
        _ = try FeatureNetworkFile.Reference("efficientnet-lite0@\(size)", store: store)
      }
    }
    // A file whose name has the sign in it is that file.
    let path = try scratch.write("a@64", [1])
    let other = try FeatureNetworkFile.Reference(path, store: store)
    #expect(other.path == path && other.size == nil)
    expectUserError("inception", "a size of its own") {
      _ = try FeatureNetworkFile.load(Self.folder + "inception.weights.safetensors@64")
    }
  }

  @Test(arguments: [
    ("_blocks.4._depthwise_conv.weight", "no array"), ("_blocks.11._project_conv.weight", "stages"),
    ("_bn1.running_var", "no array"), ("_blocks.2._bn2.bias", "no array"),
  ]) func arraysAreNamed(_ array: String, _ problem: String) throws {
    let scratch = try Scratch()
    let path = scratch.file("e.safetensors")
    let file = try WeightsFile.open(Self.folder + "efficientnet.weights.pth")
    try Safetensors.write(
      file.names.filter { $0 != array && !$0.hasSuffix("tracked") }.map {
        ($0, try file.shape(of: $0), try file.floats($0))
      }, to: path)
    expectUserError(path, problem) { _ = try FeatureNetworkFile.load(path) }
  }
}
