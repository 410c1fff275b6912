import TensorCore

/// One image as training sees it.
public struct ImageSample: Equatable, Sendable {
  /// Number of the image in its dataset.
  public let index: Int
  /// Whether left and right are exchanged.
  public let isMirrored: Bool

  public init(index: Int, isMirrored: Bool = false) {
    self.index = index
    self.isMirrored = isMirrored
  }
}

extension ImageDataset {
  /// Images as f32 in −1…1: value ÷ 127.5 − 1.
  ///
  /// - Returns: `[samples, channels, height, width]`.
  /// - Precondition: indices in `0..<count`.
  public func tensor(of samples: [ImageSample]) -> Tensor {
    Tensor(shape: [samples.count, shape.channels, shape.height, shape.width]) { output in
      pixels.withUnsafeBufferPointer { bytes in
        let width = shape.width
        for (place, sample) in samples.enumerated() {
          precondition(sample.index >= 0 && sample.index < count, "no image \(sample.index)")
          let target = output + place * shape.count
          let source = sample.index * shape.count
          for i in 0..<shape.count {
            let column = i % width
            let from = sample.isMirrored ? i - column + (width - 1 - column) : i
            target[i] = Float(bytes[source + from]) / 127.5 - 1
          }
        }
      }
    }
  }

  /// Images as f32 in −1…1, none mirrored.
  ///
  /// - Returns: `[indices, channels, height, width]`.
  public func tensor(at indices: some Sequence<Int>) -> Tensor {
    tensor(of: indices.map { ImageSample(index: $0) })
  }

  /// Classes as one-hot rows.
  ///
  /// - Returns: `[samples, classCount]`; nil for data without labels.
  public func oneHotLabels(of samples: [ImageSample]) -> Tensor? {
    guard let labels else { return nil }
    return Tensor(shape: [samples.count, classCount]) { output in
      output.initialize(repeating: 0, count: samples.count * classCount)
      for (place, sample) in samples.enumerated() {
        output[place * classCount + labels[sample.index]] = 1
      }
    }
  }
}
