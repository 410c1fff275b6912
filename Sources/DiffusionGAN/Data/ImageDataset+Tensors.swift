import TensorCore

extension ImageDataset {
  /// Images as f32 in −1…1: value ÷ 127.5 − 1.
  ///
  /// - Returns: `[indices, channels, height, width]`.
  /// - Precondition: indices in `0..<count`.
  public func tensor(at indices: some Collection<Int>) -> Tensor {
    Tensor(shape: [indices.count] + shape.extents) { output in
      pixels.withUnsafeBufferPointer { bytes in
        for (place, index) in indices.enumerated() {
          precondition(index >= 0 && index < count, "no image \(index)")
          let (target, source) = (output + place * shape.count, index * shape.count)
          for i in 0..<shape.count { target[i] = Float(bytes[source + i]) / 127.5 - 1 }
        }
      }
    }
  }

  /// Classes as one-hot rows.
  ///
  /// - Returns: `[indices, classCount]`; nil for data without labels.
  public func oneHotLabels(of indices: [Int]) -> Tensor? {
    labels.map { labels in Tensor(oneHot: indices.map { labels[$0] }, classes: classCount) }
  }
}
