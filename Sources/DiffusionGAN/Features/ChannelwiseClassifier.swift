import TensorCore

/// A classifier of grey pictures that looks at the red, the green and the blue part of coloured ones, each by itself.
///
/// The vectors and maps of the three stand side by side. A picture's class is that of all three together, the red
/// one's counting most: of stacked pictures, whose channels are pictures of their own, it tells which of
/// `classes`³ combinations one is, as the test of coverage with stacked digits does (Metz et al. 2017).
///
/// Pictures somewhat larger than the classifier's have their border cut off, which undoes `Preparation.pad`.
public struct ChannelwiseClassifier: FeatureNetwork {
  public static let channels = 3

  public let classifier: Classifier

  /// - Throws: `UserError` for a classifier of coloured pictures.
  public init(_ classifier: Classifier) throws {
    guard classifier.network.configuration.imageChannels == 1 else {
      throw UserError(
        "sees coloured pictures as they are", at: classifier.name,
        remedy: "leave out what stands behind the @", status: .usage)
    }
    self.classifier = classifier
  }

  private var side: Int { classifier.network.configuration.resolution }

  public var name: String { classifier.name + FeatureNetworkFile.channelsSuffix }

  public var preprocessing: String {
    "each channel by itself, the middle \(side)×\(side), \(classifier.preprocessing)"
  }

  public var classCount: Int {
    (0..<Self.channels).reduce(1) { product, _ in product * classifier.classCount }
  }

  public func maps(_ pictures: Tensor) -> [Tensor] {
    classifier.maps(parts(of: pictures)).map { map in
      map.reshaped([pictures.shape[0], Self.channels * map.shape[1]] + map.shape[2...])
    }
  }

  public func vectors(_ pictures: Tensor) -> Tensor {
    sideBySide(classifier.vectors(parts(of: pictures)))
  }

  public func described(_ pictures: Tensor) -> (vectors: Tensor, labels: [Int]?) {
    let (vectors, labels) = classifier.described(parts(of: pictures))
    let combined = labels.map { labels in
      (0..<pictures.shape[0]).map { picture in
        (0..<Self.channels).reduce(0) {
          $0 * classifier.classCount + labels[picture * Self.channels + $1]
        }
      }
    }
    return (sideBySide(vectors), combined)
  }

  public func check(_ shape: ImageShape) throws {
    guard shape.channels == Self.channels, shape.height == shape.width,
      // A border as padding makes it; a middle cut out of something larger would not be what was trained on.
      (side...side + side / 4).contains(shape.height)
    else {
      throw UserError(
        "sees the channels of pictures of \(Self.channels)×\(side)×\(side), a narrow border around, these are \(shape)",
        at: name, remedy: "give a classifier of pictures of this size")
    }
  }

  /// The channels as grey pictures, `[3 · pictures, 1, side, side]`.
  private func parts(of pictures: Tensor) -> Tensor {
    let (count, height, width) = (pictures.shape[0], pictures.shape[2], pictures.shape[3])
    let (top, left) = ((height - side) / 2, (width - side) / 2)
    return pictures.reshaped([count * Self.channels, 1, height, width])
      .slice(2, top..<top + side).slice(3, left..<left + side)
  }

  private func sideBySide(_ vectors: Tensor) -> Tensor {
    vectors.reshaped([vectors.rows / Self.channels, Self.channels * vectors.columns])
  }
}
