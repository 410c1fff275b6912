extension Tensor {
  /// `[…, height, width]` read at another resolution by bilinear interpolation; pixel centres lie at
  /// halves, and beyond the border the border's value goes on.
  public func resizedBilinearly(height: Int, width: Int) -> Tensor {
    precondition(shape.count >= 3, "bilinear resizing of a tensor of shape \(shape)")
    let rows = Self.interpolation(from: shape[shape.count - 2], to: height)
    let columns = Self.interpolation(from: shape[shape.count - 1], to: width)
    return Tensor.product(Tensor.product(rows, self), columns, transposeB: true)
  }

  /// The weights of `source` values in each of `target` values, `[target, source]`.
  private static func interpolation(from source: Int, to target: Int) -> Tensor {
    precondition(source > 0 && target > 0, "bilinear resizing from \(source) to \(target)")
    var weights = Tensor(zeros: [target, source])
    weights.withMutablePointer { out in
      for index in 0..<target {
        let place = max((Float(index) + 0.5) * Float(source) / Float(target) - 0.5, 0)
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
