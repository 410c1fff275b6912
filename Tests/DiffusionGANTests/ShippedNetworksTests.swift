import Foundation
import TensorCore
import Testing

@testable import DiffusionGAN

/// What the networks that come along draw, by the classifiers that come along.
@Suite struct ShippedNetworksTests {
  private static func path(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../networks/\(name).safetensors").standardized.path
  }

  private static func network(_ name: String) throws -> NetworkFile {
    try NetworkFile(contentsOf: path(name))
  }

  /// Classes that the classifier of the network's size sees in pictures of `seeds`.
  private static func seen(
    _ name: String, _ seeds: Range<UInt64>, suffix: String = ""
  ) throws -> (classes: [Int], drawnFor: [Int]?) {
    let sampling = try SeededSampling(network(name))
    let side = sampling.shape.width == 16 ? 16 : 28
    let classifier = try FeatureNetworkFile.load(path("fashion\(side)-residual") + suffix)
    let labels = try #require(classifier.described(sampling(Array(seeds))).labels)
    return (labels, sampling.classes(of: Array(seeds)))
  }

  /// All ten kinds of garments.
  @Test(arguments: ["fashion16", "fashion16-onestep", "fashion28", "fashion28-onestep"])
  func everyGarmentIsDrawn(name: String) throws {
    let counts = Dictionary(grouping: try Self.seen(name, 0..<100).classes) { $0 }
    #expect(counts.count == 10 && counts.values.allSatisfy { (2...30).contains($0.count) })
  }

  /// Three garments at a time in many of 1,000 combinations: as many pictures of evenly drawn ones would show 90 % and
  /// 98 % different ones.
  @Test(arguments: [("stacked32-onestep", 200), ("stacked32", 32)])
  func manyCombinationsAreDrawn(name: String, count: UInt64) throws {
    let classes = try Self.seen(name, 0..<count, suffix: "@channels").classes
    #expect(Set(classes).count * 4 >= 3 * Int(count), "\(Set(classes).count) of \(count)")
    // No channel goes without one of the ten.
    for power in [1, 10, 100] where count > 100 {
      #expect(Set(classes.map { $0 / power % 10 }).count == 10)
    }
  }

  /// A network with classes draws the one that was asked for; the classifier is right for nine real ones in ten.
  @Test(arguments: ["fashion16-cond", "fashion16-cond-onestep"])
  func theClassAskedForIsDrawn(name: String) throws {
    let (classes, drawnFor) = try Self.seen(name, 0..<100)
    let right = zip(classes, try #require(drawnFor)).count { $0 == $1 }
    #expect(right >= 80, "\(right) of 100")
  }
}
