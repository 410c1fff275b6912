import TensorCore

/// The order in which training sees the images: every epoch is a permutation of its own, and
/// position *i* of epoch *e* holds the same image for any batch size and after any interruption.
public struct ShuffledOrder: Sendable {
  /// Number of images, and of samples in an epoch.
  public let count: Int
  private let seed: UInt64
  private var epoch = -1
  private var permutation: [Int32] = []

  /// Keeps these streams apart from others of the same seed.
  private static let purpose: UInt64 = 0x6461_7461

  /// - Parameters:
  ///   - count: number of images, at least 1.
  ///   - seed: the run's seed.
  public init(count: Int, seed: UInt64) {
    precondition(count > 0 && count <= Int(Int32.max))
    self.count = count
    self.seed = seed
  }

  /// The images at positions `range`, counted from the beginning of training over all epochs.
  public mutating func samples(_ range: Range<Int>) -> [Int] {
    precondition(range.lowerBound >= 0)
    return range.map { position in
      shuffle(epoch: position / count)
      return Int(permutation[position % count])
    }
  }

  private mutating func shuffle(epoch wanted: Int) {
    guard wanted != epoch else { return }
    permutation = (0..<Int32(count)).map { $0 }
    var stream = RandomStream(seed: seed, path: [Self.purpose, UInt64(wanted)])
    stream.shuffle(&permutation)
    epoch = wanted
  }
}
