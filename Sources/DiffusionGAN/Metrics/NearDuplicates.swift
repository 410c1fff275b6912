import TensorCore

/// Generated pictures that are nearly the same: what collapse looks like before it can be seen.
public enum NearDuplicates {
  /// Real pictures closer to their nearest than this share of all count as near duplicates.
  private static let quantile = 0.05

  /// The share of generated pictures that have another one nearer than 95 % of real pictures have
  /// theirs: about 0.05 where all is well, 1 where one picture is drawn again and again.
  ///
  /// - Parameters: features `[n, dimension]` of as many generated as real pictures, two at least.
  public static func share(generated: Tensor, real: Tensor) -> Double {
    precondition(
      generated.shape == real.shape && real.rows >= 2,
      "near duplicates among features of shape \(generated.shape) and \(real.shape)")
    let usual = nearest(real).sorted()
    let threshold = usual[Int(quantile * Double(usual.count))]
    let distances = nearest(generated)
    return Double(distances.count { $0 < threshold }) / Double(distances.count)
  }

  /// Squared distance of each row to its nearest other one.
  private static func nearest(_ features: Tensor) -> [Float] {
    let (rows, columns) = (features.rows, features.columns)
    return features.withPointer { values in
      (0..<rows).map { row in
        var least = Float.infinity
        for other in 0..<rows where other != row {
          var sum: Float = 0
          for column in 0..<columns {
            let difference = values[row * columns + column] - values[other * columns + column]
            sum += difference * difference
          }
          least = min(least, sum)
        }
        return least
      }
    }
  }
}
