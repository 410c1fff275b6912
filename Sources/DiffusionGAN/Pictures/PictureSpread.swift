import TensorCore

/// How much the pictures of a set differ from one another: the root of the variance of each value
/// over the pictures, in the mean over values, on the scale −1…1.
public enum PictureSpread {
  public static func deviation(of data: ImageDataset) -> Double {
    // Sums of whole numbers are exact.
    var (sums, squares) = (
      [Int](repeating: 0, count: data.shape.count), [Int](repeating: 0, count: data.shape.count)
    )
    data.pixels.withUnsafeBufferPointer { pixels in
      for image in 0..<data.count {
        for place in 0..<data.shape.count {
          let value = Int(pixels[image * data.shape.count + place])
          sums[place] += value
          squares[place] += value * value
        }
      }
    }
    let count = data.count
    let variances = zip(sums, squares).map { sum, square in
      Double(count * square - sum * sum) / Double(count * count)
    }
    return (variances.reduce(0, +) / Double(variances.count)).squareRoot() / 127.5
  }

  /// - Parameter pictures: `[n, channels, height, width]`.
  public static func deviation(of pictures: Tensor) -> Double {
    let count = pictures.shape[0]
    let size = pictures.count / count
    return pictures.withPointer { values in
      var total = 0.0
      for place in 0..<size {
        let mean =
          (0..<count).reduce(0.0) { $0 + Double(values[$1 * size + place]) } / Double(count)
        for image in 0..<count {
          let difference = Double(values[image * size + place]) - mean
          total += difference * difference
        }
      }
      return (total / Double(count * size)).squareRoot()
    }
  }
}
