import TensorCore

/// What a distillation method wants of the student on the samples at some positions.
protocol DistillationObjective: Sendable {
  /// - Parameter weights: all of the student's; what the gradient is taken at is among them.
  /// - Returns: the loss, a single number, and the student's pictures that it is about.
  func callAsFunction(
    _ weights: Parameters, _ positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor)
}

/// A distillation's loss as a function of the weights that training changes.
public struct DistillationLoss: Sendable {
  let objective: any DistillationObjective
  /// All of the student's weights; those that are frozen count.
  let weights: Parameters

  /// - Parameters:
  ///   - trainable: the weights that are differentiated.
  ///   - positions: samples, by their position in the run.
  /// - Returns: the mean loss of the samples, a single number, and the student's pictures that the
  ///   loss is about, `[positions, channels, height, width]`, both differentiable: the one-step
  ///   outputs for regression, the estimates of the clean picture from each sample's noise level for
  ///   the other methods.
  /// - Throws: whatever the pictures' source throws.
  public func callAsFunction(
    _ trainable: Parameters, batch positions: Range<Int>
  ) throws -> (loss: Tensor, generated: Tensor) {
    try objective(weights.replacing(trainable), positions)
  }
}
