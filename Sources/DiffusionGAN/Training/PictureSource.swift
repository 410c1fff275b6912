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

/// The order in which a run takes its pictures; known with the first batch.
struct PictureOrder: Sendable {
  private var order: ShuffledOrder?

  /// The pictures at `positions` of the run.
  ///
  /// - Precondition: `source` has as many pictures as before.
  mutating func pictures(
    _ positions: Range<Int>, of source: some PictureSource, seed: UInt64
  ) -> BatchPictures {
    var order = self.order ?? ShuffledOrder(count: source.count, seed: seed)
    precondition(
      order.count == source.count,
      "a run on \(order.count) pictures continued on \(source.count)")
    defer { self.order = order }
    return BatchPictures(positions, order.samples(positions))
  }
}

/// Which pictures a batch has.
struct BatchPictures: Sendable {
  private let start: Int
  private let numbers: [Int]

  init(_ positions: Range<Int>, _ numbers: [Int]) {
    start = positions.lowerBound
    self.numbers = numbers
  }

  /// Numbers of the pictures of a part.
  subscript(part: BatchPart) -> [Int] { numbers(at: part.positions) }

  func numbers(at positions: Range<Int>) -> [Int] {
    Array(numbers[positions.lowerBound - start..<positions.upperBound - start])
  }
}

/// What a random stream of a training run is for: the first part of its path. The order of pictures has
/// its own, `ShuffledOrder`.
enum RandomPurpose: UInt64 {
  case noise = 2
  case dropout = 3
  case shift = 4
  case augmentation = 5
}
