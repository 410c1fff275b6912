import DiffusionGAN
import Foundation
import TensorCore
import Terminal

/// What `onestep evaluate --reference` prints: the Fréchet distance of generated images from published
/// statistics, as EDM's `fid.py calc` does.
struct ReferenceEvaluation {
  private let reference: ReferenceMoments
  /// What the images' features were made by.
  private let network: String
  private let preprocessing: String
  private let images: Int
  private let distance: FrechetDistance

  /// - Throws: `UserError` for statistics of other features, before any image is looked at, and for
  ///   images that the network cannot look at.
  init(
    _ reference: ReferenceMoments, _ generated: ImageDataset, by network: any FeatureNetwork,
    _ pool: ThreadPool
  ) throws {
    self.reference = reference
    self.network = network.name
    preprocessing = network.preprocessing
    // One image tells the dimension, and does so in no time.
    let first = try ImageFeatures(of: generated.subset([0]), by: network, pool: pool)
    try reference.check(dimension: first.vectors.columns, of: self.network)
    images = generated.count
    distance = try FrechetDistance(
      reference, FeatureStatistics.moments(of: generated, by: network, pool))
  }

  var json: JSONValue {
    [
      "reference": ["from": .string(reference.name), "dimension": .integer(reference.dimension)],
      "features": .string(network), "preprocessing": .string(preprocessing),
      "images": .integer(images), "frechet": .number(distance.value),
      "mean_term": .number(distance.meanTerm),
    ]
  }

  var text: String {
    var text = String(
      format: "Fréchet distance %.4f: %d images against %@, %d values an image of %@ (%@)\n",
      distance.value, images, reference.name, reference.dimension, network, preprocessing)
    if images <= reference.dimension {
      text += "fewer images than features: the distance is much too large\n"
    }
    return text
  }
}
