import TensorCore

extension ImageDataset {
  /// The pixels themselves as features, in −1…1: what needs no network to measure images by.
  ///
  /// - Returns: `[count, channels · height · width]`.
  public var pixelFeatures: Tensor {
    Tensor(shape: [count, shape.count]) { output in
      for i in pixels.indices { output[i] = Float(pixels[i]) / 127.5 - 1 }
    }
  }
}
