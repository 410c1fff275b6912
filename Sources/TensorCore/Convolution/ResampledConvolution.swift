/// A change of resolution that goes with a convolution.
public enum Resampling: Sendable {
  case up
  case down
}

extension Tensor {
  /// Resampling with `filter` and convolution with a square kernel of odd size, the size of the image
  /// otherwise unchanged (Karras et al. 2022).
  ///
  /// - Parameters:
  ///   - weight: `[outputs, inputs, size, size]`; with nil the picture is only resampled.
  ///   - fused: whether the zeros of both operations are put around the picture at once: at the border
  ///     the numbers differ.
  public func convolved(
    _ weight: Tensor?, bias: Tensor? = nil, resampling: Resampling?, filter: ResampleFilter,
    fused: Bool
  ) -> Tensor {
    let kernel = (weight?.shape.last ?? 1) / 2
    guard let weight else {
      switch resampling {
      case nil: return self
      case .up: return upsampled(filter)
      case .down: return downsampled(filter)
      }
    }
    switch (resampling, fused) {
    case (.up, false) where kernel == 0 && filter == ResampleFilter([1, 1]):
      // Repeating values and mixing channels are the same in either order, and this one mixes a quarter.
      return convolved(weight, bias: bias).upsampled(filter)
    case (nil, _): return convolved(weight, bias: bias, padding: kernel)
    case (.up, false): return upsampled(filter).convolved(weight, bias: bias, padding: kernel)
    case (.down, false): return downsampled(filter).convolved(weight, bias: bias, padding: kernel)
    case (.up, true):
      return upsampled(filter, padding: max(filter.padding - kernel, 0))
        .convolved(weight, bias: bias, padding: max(kernel - filter.padding, 0))
    case (.down, true):
      // The filter's weights sum to 1, so the bias may come before it.
      return convolved(weight, bias: bias, padding: kernel + filter.padding)
        .downsampled(filter, padding: 0)
    }
  }
}
