import TensorCore

/// What the pixels are among features.
public enum PixelFeatures {
  public static let name = "pixels"
  public static let preprocessing = "values in −1…1"
}

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
