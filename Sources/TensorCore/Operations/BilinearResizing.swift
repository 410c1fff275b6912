extension Tensor {
  /// What lies on what when a tensor is read at another resolution.
  public enum ResizedCorners: Sendable {
    /// The borders: pixel centres lie at halves, and beyond the outermost the border's value goes
    /// on.
    case free
    /// The centres of the corner pixels (torch's `align_corners`).
    case aligned
    /// The centres of the first pixels, at a step of the scale; behind the last centre its value
    /// goes on (TensorFlow 1's `resize_bilinear`).
    case origin
  }

  /// `[…, height, width]` read at another resolution by bilinear interpolation.
  public func resizedBilinearly(
    height: Int, width: Int, corners: ResizedCorners = .free
  ) -> Tensor {
    precondition(shape.count >= 3, "bilinear resizing of a tensor of shape \(shape)")
    let rows = Self.interpolation(from: shape[shape.count - 2], to: height, corners)
    let columns = Self.interpolation(from: shape[shape.count - 1], to: width, corners)
    return Tensor.product(Tensor.product(rows, self), columns, transposeB: true)
  }

  /// The weights of `source` values in each of `target` values, `[target, source]`.
  private static func interpolation(
    from source: Int, to target: Int, _ corners: ResizedCorners
  ) -> Tensor {
    precondition(source > 0 && target > 0, "bilinear resizing from \(source) to \(target)")
    var weights = Tensor(zeros: [target, source])
    weights.withMutablePointer { out in
      for index in 0..<target {
        let place =
          switch corners {
          case .free: max((Float(index) + 0.5) * Float(source) / Float(target) - 0.5, 0)
          case .origin: Float(index) * (Float(source) / Float(target))
          case .aligned: Float(index) * Float(source - 1) / Float(max(target - 1, 1))
          }
        let first = min(Int(place), source - 1)
        let next = min(first + 1, source - 1)
        let share = place - Float(first)
        out[index * source + first] += 1 - share
        out[index * source + next] += share
      }
    }
    return weights
  }
}
