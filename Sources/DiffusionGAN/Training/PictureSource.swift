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

/// The order in which pictures are seen: every picture once an epoch, shuffled anew each time. Which
/// picture comes at a position depends on the seed alone.
struct PictureOrder: Sendable {
  let seed: UInt64
  let count: Int
  private var epoch: Int?
  private var order: [Int] = []

  init(seed: UInt64, count: Int) {
    self.seed = seed
    self.count = count
  }

  /// Numbers of the pictures at `positions` of the endless sequence.
  mutating func indices(_ positions: Range<Int>) -> [Int] {
    positions.map { position in
      if epoch != position / count {
        var stream = RandomStream(
          seed: seed, path: [RandomPurpose.order.rawValue, UInt64(position / count)])
        order = Array(0..<count)
        stream.shuffle(&order)
        epoch = position / count
      }
      return order[position % count]
    }
  }
}

/// What a random stream of a training run is for: the first part of its path.
enum RandomPurpose: UInt64 {
  case order = 1
  case noise = 2
  case dropout = 3
}
