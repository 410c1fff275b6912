import Foundation
import TensorCore

/// The inception score (Salimans et al. 2016): exp of the mean divergence of each image's shares of
/// classes from the shares of all, over several parts of the images.
public struct InceptionScore: Equatable, Sendable {
  /// Over the parts.
  public let mean: Double
  /// Standard deviation over the parts, with divisor their number, as papers print it.
  public let deviation: Double

  /// - Parameters:
  ///   - shares: `[n, classes]`, each row a distribution; one row a part at least.
  ///   - parts: number of parts, neighbours together.
  public init(_ shares: Tensor, parts: Int) {
    let (n, classes) = (shares.rows, shares.columns)
    precondition(parts > 0 && n >= parts, "\(parts) parts of \(n) images")
    let scores = shares.withPointer { values in
      (0..<parts).map { part in
        let rows = part * n / parts..<(part + 1) * n / parts
        var means = [Double](repeating: 0, count: classes)
        var divergence = 0.0
        for row in rows {
          for column in 0..<classes {
            let share = Double(values[row * classes + column])
            means[column] += share / Double(rows.count)
            // A share may underflow to 0, of which x log x is 0.
            if share > 0 { divergence += share * log(share) / Double(rows.count) }
          }
        }
        for mean in means where mean > 0 { divergence -= mean * log(mean) }
        return exp(divergence)
      }
    }
    let mean = scores.reduce(0, +) / Double(parts)
    self.mean = mean
    let squares = scores.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    deviation = (squares / Double(parts)).squareRoot()
  }
}
