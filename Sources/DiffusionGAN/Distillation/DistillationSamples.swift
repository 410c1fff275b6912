import TensorCore

/// What the samples of a distillation on pictures are made of. Sample *k*, its picture, noise and
/// levels, depends on the seed and on *k* alone.
struct DistillationSamples: Sendable {
  /// The first part of a random stream's path.
  enum Purpose: UInt64 {
    case noise = 0x21
    case level = 0x22
    case poolLatent = 0x23
    case poolLabel = 0x24
  }

  let source: any PictureSource
  let order: ShuffledOrder
  let seed: UInt64
  let isConditional: Bool

  /// Clean pictures, standard normal numbers of their shape, and labels where the network has them.
  func pictures(
    _ positions: Range<Int>
  ) throws -> (clean: Tensor, noise: Tensor, conditions: UNet.Conditions) {
    var order = order
    let indices = order.samples(positions)
    let clean = try source.images(at: indices)
    let noise = Tensor(
      normal: Array(clean.shape.dropFirst()), from: positions.map { stream(.noise, $0) })
    let labels = isConditional ? try source.labels(at: indices) : nil
    return (clean, noise, UNet.Conditions(noise: [], labels: labels))
  }

  func stream(_ purpose: Purpose, _ position: Int) -> RandomStream {
    Self.stream(purpose, seed: seed, position)
  }

  static func stream(_ purpose: Purpose, seed: UInt64, _ position: Int) -> RandomStream {
    RandomStream(seed: seed, path: [purpose.rawValue, UInt64(position)])
  }
}
