import TensorCore

extension ImageDataset {
  /// As many coloured images, the channels of each being three grey images of this dataset, drawn at random: every image
  /// is once the red, once the green and once the blue part of one.
  ///
  /// With `k` classes, the class of a stack of classes `r`, `g` and `b` is `(r k + g) k + b`. A generator that has all of
  /// the k³ combinations covers the data (Metz et al. 2017, section 3.2.1, who stack digits).
  ///
  /// - Parameters:
  ///   - seed: which images meet.
  /// - Precondition: grey images with labels.
  func stacked(name: String, seed: UInt64) throws -> ImageDataset {
    precondition(shape.channels == 1)
    let orders = (0..<3).map { channel in
      var stream = RandomStream(seed: seed, path: [UInt64(channel)])
      return stream.sample(count, of: Array(0..<count))
    }
    var stacked: [UInt8] = []
    stacked.reserveCapacity(3 * pixels.count)
    var classes: [Int] = []
    for index in 0..<count {
      for order in orders { stacked += pixels[range(of: order[index])] }
      classes.append(orders.reduce(0) { $0 * classCount + (labels?[$1[index]] ?? 0) })
    }
    return try ImageDataset(
      name: name, shape: ImageShape(channels: 3, height: shape.height, width: shape.width),
      pixels: stacked, labels: classes, classCount: classCount * classCount * classCount,
      classNames: combinedNames)
  }

  /// `Trouser+Bag+Coat`, in the order of the combined classes.
  private var combinedNames: [String] {
    classNames.flatMap { red in
      classNames.flatMap { green in classNames.map { blue in "\(red)+\(green)+\(blue)" } }
    }
  }
}
