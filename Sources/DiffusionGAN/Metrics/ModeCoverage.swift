import Foundation

/// How many of the classes images have, and how unevenly: coverage where classes are modes, as of stacked images
/// (Metz et al. 2017; Srivastava et al. 2017; Lin et al. 2018 count the same).
public struct ModeCoverage: Sendable, Equatable {
  /// A number and its jackknife error, one image left out at a time.
  public struct Value: Sendable, Equatable {
    public let value: Double
    public let standardError: Double
  }

  /// Classes that one image has at least. Rare classes are missed by few images: compare equal numbers.
  public let found: Value
  /// KL(images ‖ data) in nats over the classes; too large by about `(classes − 1) / 2n` for `n` images of the very
  /// shares. Nil where the data's shares are not known, or miss a class that images have.
  public let divergence: Value?

  /// - Parameters:
  ///   - counts: images of each class, one at least.
  ///   - data: images of each class in the data, as many classes; nil where it is not known.
  public init(_ counts: [Int], data: [Int]?) {
    let n = Double(counts.reduce(0, +))
    precondition(n > 0, "a histogram of nothing")
    let found = counts.count { $0 > 0 }
    // Leaving out an image of a class of its own loses the class.
    let single = Double(counts.count { $0 == 1 })
    self.found = Value(
      value: Double(found),
      standardError: n > 1 ? ((n - 1) / n * single * (1 - single / n)).squareRoot() : 0)
    guard let data, data.count == counts.count,
      zip(counts, data).allSatisfy({ $0 == 0 || $1 > 0 })
    else {
      divergence = nil
      return
    }
    divergence = Self.divergence(counts, n, data)
  }

  private static func divergence(_ counts: [Int], _ n: Double, _ data: [Int]) -> Value {
    let total = Double(data.reduce(0, +))
    /// A class's part of Σ c ln(c / p), c images of it.
    func part(_ count: Int, _ index: Int) -> Double {
      count == 0 ? 0 : Double(count) * log(Double(count) / (Double(data[index]) / total))
    }
    // KL = Σ c/n ln(c / (n p)) = (Σ c ln(c / p)) / n − ln n.
    let sum = counts.indices.reduce(0) { $0 + part(counts[$1], $1) }
    let value = sum / n - log(n)
    guard n > 1 else { return Value(value: value, standardError: 0) }
    let without = counts.indices.map { index in
      (sum - part(counts[index], index) + part(max(counts[index] - 1, 0), index)) / (n - 1)
        - log(n - 1)
    }
    let mean = counts.indices.reduce(0) { $0 + Double(counts[$1]) * without[$1] } / n
    let squares = counts.indices.reduce(0) {
      $0 + Double(counts[$1]) * (without[$1] - mean) * (without[$1] - mean)
    }
    return Value(value: value, standardError: ((n - 1) / n * squares).squareRoot())
  }
}
