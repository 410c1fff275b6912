import TensorCore

/// Pictures to train on, by number.
public protocol PictureSource: Sendable {
  /// Number of pictures.
  var count: Int { get }

  /// Pictures `[indices, channels, height, width]` in about −1…1.
  func images(at indices: [Int]) throws -> Tensor

  /// One-hot labels `[indices, classes]`; nil where there are none.
  func labels(at indices: [Int]) throws -> Tensor?
}

extension PictureSource {
  public func labels(at indices: [Int]) throws -> Tensor? { nil }

  /// Pictures, and their labels where there are any.
  func samples(at indices: [Int]) throws -> (pictures: Tensor, labels: Tensor?) {
    (try images(at: indices), try labels(at: indices))
  }
}

/// A dataset as training sees it.
extension ImageDataset: PictureSource {
  public func images(at indices: [Int]) -> Tensor { tensor(at: indices) }
}

/// A dataset for a network that is conditioned on labels.
public struct LabelledPictures: PictureSource {
  private let data: ImageDataset

  public init(_ data: ImageDataset) { self.data = data }

  public var count: Int { data.count }

  public func images(at indices: [Int]) -> Tensor { data.tensor(at: indices) }

  public func labels(at indices: [Int]) -> Tensor? {
    data.oneHotLabels(of: indices)
  }
}

extension ShuffledOrder {
  /// Numbers of the pictures at `positions`; soon found where `samples` has been there before.
  func numbers(at positions: Range<Int>) -> [Int] {
    var order = self
    return order.samples(positions)
  }
}

/// What a random stream of a training run is for: the first part of its path; the second is the sample's position. The
/// order of pictures has its own, `ShuffledOrder`.
protocol StreamPurpose: RawRepresentable<UInt64> {}

extension StreamPurpose {
  func stream(seed: UInt64, _ position: Int) -> RandomStream {
    RandomStream(seed: seed, path: [rawValue, UInt64(position)])
  }
}

/// Of training without a discriminator.
enum RandomPurpose: UInt64, StreamPurpose {
  case noise = 2
  case dropout = 3
  case shift = 4
  case augmentation = 5
}
