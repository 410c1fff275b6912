/// Mean and deviation of a dataset's values, channel by channel, on the scale −1…1 of training.
public struct DatasetStatistics: Equatable, Sendable {
  /// Mean of each channel.
  public let means: [Double]
  /// Standard deviation of each channel over all pixels of all images.
  public let deviations: [Double]

  public init(_ data: ImageDataset) {
    let area = data.shape.height * data.shape.width
    // Sums of whole numbers are exact.
    var sums = [Int](repeating: 0, count: data.shape.channels)
    var squares = sums
    data.pixels.withUnsafeBufferPointer { pixels in
      for plane in 0..<data.count * data.shape.channels {
        var (sum, square) = (0, 0)
        for i in plane * area..<(plane + 1) * area {
          let value = Int(pixels[i])
          sum += value
          square += value * value
        }
        sums[plane % data.shape.channels] += sum
        squares[plane % data.shape.channels] += square
      }
    }
    let count = Double(data.count * area)
    means = sums.map { Double($0) / count / 127.5 - 1 }
    deviations = zip(sums, squares).map { sum, square in
      let mean = Double(sum) / count
      return max(Double(square) / count - mean * mean, 0).squareRoot() / 127.5
    }
  }
}
