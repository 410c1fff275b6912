/// Batch normalisation (Ioffe & Szegedy 2015) of `[batch, channels, …]`.
extension Tensor {
  /// Normalised by this batch's own statistics, as in training; those of all its parts where it has several.
  public func batchNormalised(weight: Tensor, bias: Tensor, epsilon: Float = 1e-5) -> Tensor {
    precondition(
      shape.count >= 2 && weight.shape == [shape[1]] && bias.shape == weight.shape,
      "batch norm of shape \(shape) with a weight of shape \(weight.shape)"
        + " and a bias of shape \(bias.shape)")
    let axes = [0] + Array(shape.indices.dropFirst(2))
    let samples = Float(count / shape[1] * Self.parts)
    func batchMean(_ values: Tensor) -> Tensor {
      values.sum(over: axes).summedOverParts().scaled(by: 1 / samples)
    }
    let mean = batchMean(self)
    let centred = self - mean
    let variance = batchMean(centred.squared())
    let scale = weight.reshaped(mean.shape) / (variance + epsilon).squareRoot()
    return centred * scale + bias.reshaped(mean.shape)
  }
}
