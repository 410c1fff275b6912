/// Mean and variance of each channel that batch normalisation keeps for evaluation.
public struct BatchStatistics: Sendable {
  /// `[channels]`.
  public var mean: Tensor
  public var variance: Tensor

  public init(mean: Tensor, variance: Tensor) {
    self.mean = mean
    self.variance = variance
  }

  /// Statistics moved towards those of a batch: `running += momentum · (batch − running)`.
  public mutating func update(_ batch: BatchStatistics, momentum: Float = 0.1) {
    mean = mean.scaled(by: 1 - momentum) + batch.mean.scaled(by: momentum)
    variance = variance.scaled(by: 1 - momentum) + batch.variance.scaled(by: momentum)
  }
}

/// Batch normalisation (Ioffe & Szegedy 2015) of `[batch, channels, …]`.
extension Tensor {
  /// Normalised by this batch's own statistics, as in training; those of all its parts where it has several.
  ///
  /// - Returns: the result, and the batch's mean and unbiased variance, constants, for the running
  ///   statistics.
  public func batchNormalised(
    weight: Tensor, bias: Tensor, epsilon: Float = 1e-5
  ) -> (result: Tensor, batch: BatchStatistics) {
    let channels = batchNormChannels(weight, bias)
    let axes = [0] + Array(shape.indices.dropFirst(2))
    let samples = Float(count / channels * Self.parts)
    func batchMean(_ values: Tensor) -> Tensor {
      values.sum(over: axes).summedOverParts().scaled(by: 1 / samples)
    }
    let mean = batchMean(self)
    let centred = self - mean
    let variance = batchMean(centred.squared())
    let scale = weight.reshaped(mean.shape) / (variance + epsilon).squareRoot()
    let result = centred * scale + bias.reshaped(mean.shape)
    let batch = BatchStatistics(
      mean: mean.detached().reshaped([channels]),
      variance: variance.detached().reshaped([channels])
        .scaled(by: samples / max(samples - 1, 1)))
    return (result, batch)
  }

  /// Normalised by running statistics, as in evaluation.
  public func normalised(
    by statistics: BatchStatistics, weight: Tensor, bias: Tensor, epsilon: Float = 1e-5
  ) -> Tensor {
    let channels = batchNormChannels(weight, bias)
    let axes = [channels] + [Int](repeating: 1, count: shape.count - 2)
    let scale = weight / (statistics.variance + epsilon).squareRoot()
    let shift = bias - statistics.mean * scale
    return self * scale.reshaped(axes) + shift.reshaped(axes)
  }

  private func batchNormChannels(_ weight: Tensor, _ bias: Tensor) -> Int {
    precondition(
      shape.count >= 2 && weight.shape == [shape[1]] && bias.shape == weight.shape,
      "batch norm of shape \(shape) with a weight of shape \(weight.shape)"
        + " and a bias of shape \(bias.shape)")
    return shape[1]
  }
}
