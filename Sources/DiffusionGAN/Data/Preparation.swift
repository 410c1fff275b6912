import TensorCore

/// What is done to a dataset's images before anything else.
public enum Preparation: Equatable, Sendable {
  /// Black borders, as wide on opposite sides (the odd row or column below and to the right), up to
  /// `height` × `width`.
  case pad(height: Int, width: Int)
  /// The mean of every 2×2 square, rounded to the nearest byte and halves to even.
  case averageSquares
}

extension ImageDataset {
  /// The dataset after each of `preparations` in turn.
  ///
  /// - Throws: `UserError` where an image is larger than what it is to be padded to, or has an odd
  ///   side where squares are to be averaged.
  public func prepared(by preparations: [Preparation]) throws -> ImageDataset {
    var prepared = self
    for preparation in preparations {
      switch preparation {
      case .pad(let height, let width):
        prepared = try prepared.padded(height: height, width: width)
      case .averageSquares: prepared = try prepared.averaged()
      }
    }
    return prepared
  }

  private func padded(height: Int, width: Int) throws -> ImageDataset {
    guard shape.height <= height, shape.width <= width else {
      throw UserError(
        "images are \(shape), too large to pad to \(height)×\(width)", at: name,
        remedy: "choose a preset for larger images")
    }
    let top = (height - shape.height) / 2
    let left = (width - shape.width) / 2
    return try mapped(
      to: ImageShape(channels: shape.channels, height: height, width: width)
    ) { source, target in
      for row in 0..<shape.height {
        let start = target + (row + top) * width + left
        start.update(from: source + row * shape.width, count: shape.width)
      }
    }
  }

  private func averaged() throws -> ImageDataset {
    guard shape.height % 2 == 0, shape.width % 2 == 0 else {
      throw UserError(
        "images are \(shape), an odd side cannot be halved", at: name,
        remedy: "choose a preset that pads first")
    }
    let half = ImageShape(
      channels: shape.channels, height: shape.height / 2, width: shape.width / 2)
    return try mapped(to: half) { source, target in
      for row in 0..<half.height {
        let above = source + 2 * row * shape.width
        let below = above + shape.width
        for column in 0..<half.width {
          let (a, b) = (2 * column, 2 * column + 1)
          let sum = Int(above[a]) + Int(above[b]) + Int(below[a]) + Int(below[b])
          // 2 is exactly between two bytes and goes to the even one.
          let roundsUp = sum % 4 > 2 || (sum % 4 == 2 && sum / 4 % 2 == 1)
          target[row * half.width + column] = UInt8(sum / 4 + (roundsUp ? 1 : 0))
        }
      }
    }
  }

  /// The dataset with every plane (one channel of one image) made anew; planes begin black.
  private func mapped(
    to newShape: ImageShape,
    plane: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void
  ) throws -> ImageDataset {
    var output = [UInt8](repeating: 0, count: count * newShape.count)
    let (from, to) = (shape.height * shape.width, newShape.height * newShape.width)
    pixels.withUnsafeBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        for index in 0..<count * shape.channels {
          plane(source + index * from, target + index * to)
        }
      }
    }
    return try ImageDataset(
      name: name, shape: newShape, pixels: output, labels: labels,
      classCount: labels == nil ? nil : classCount, classNames: classNames)
  }
}
