import TensorCore

/// Kernel inception distance: the squared maximum mean discrepancy of two sets of features under the
/// kernel (x·y / dimension + 1)³ (Bińkowski et al. 2018), without bias and not scaled.
public struct KernelDistance: Equatable, Sendable {
  /// May be negative where the sets are alike.
  public let value: Double
  /// From the first-order (Hoeffding) term of the variance of both sets.
  public let standardError: Double

  /// - Parameters:
  ///   - first, second: `[n, dimension]`, two rows at least.
  ///   - pool: threads; the result does not depend on their number.
  public init(_ first: Tensor, _ second: Tensor, pool: ThreadPool) {
    precondition(first.columns == second.columns && first.rows > 1 && second.rows > 1)
    let (n, m) = (Double(first.rows), Double(second.rows))
    let firstSums = KernelSums.within(first, pool: pool)
    let secondSums = KernelSums.within(second, pool: pool)
    let between = KernelSums.between(first, second, pool: pool)
    // Mean kernel within each set, pairs of a vector with itself left out, and between the two.
    value =
      firstSums.reduce(0, +) / (n * (n - 1)) + secondSums.reduce(0, +) / (m * (m - 1))
      - 2 * (between.rows.reduce(0, +) / (n * m))
    // What one vector of a set contributes: its mean kernel with its own set, less with the other.
    let ofFirst = zip(firstSums, between.rows).map { $0 / (n - 1) - $1 / m }
    let ofSecond = zip(secondSums, between.columns).map { $0 / (m - 1) - $1 / n }
    let variance = 4 * Self.variance(ofFirst) / n + 4 * Self.variance(ofSecond) / m
    standardError = variance.squareRoot()
  }

  private static func variance(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
  }
}

/// The mean distance over random subsets, as papers usually print it.
public struct SubsetKernelDistance: Equatable, Sendable {
  public let mean: Double
  /// Standard deviation over subsets ÷ √subsets: how exactly the mean over subsets is known, which
  /// says little about the images themselves.
  public let standardError: Double

  /// - Parameters:
  ///   - first, second: `[n, dimension]`, two rows at least.
  ///   - subsets: number of subsets, two at least.
  ///   - size: rows of a subset; at most all of either set are taken.
  ///   - seed: which subsets.
  public init(
    _ first: Tensor, _ second: Tensor, subsets: Int = 100, size: Int = 1000, seed: UInt64,
    pool: ThreadPool
  ) {
    precondition(subsets > 1)
    let size = min(size, first.rows, second.rows)
    let alone = ThreadPool(count: 1)
    let values = pool.map(subsets) { subset in
      var stream = RandomStream(seed: seed, path: [UInt64(subset)])
      let chosen = [first, second].map { features in
        features.rows(stream.sample(size, of: Array(0..<features.rows)))
      }
      return KernelDistance(chosen[0], chosen[1], pool: alone).value
    }
    let mean = values.reduce(0, +) / Double(subsets)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    standardError = (squares / Double(subsets - 1) / Double(subsets)).squareRoot()
  }
}

extension Tensor {
  /// The rows at `indices`, in that order.
  ///
  /// - Returns: `[indices, columns]`.
  func rows(_ indices: [Int]) -> Tensor {
    Tensor(shape: [indices.count, columns]) { output in
      withPointer { source in
        for (place, index) in indices.enumerated() {
          (output + place * columns).update(from: source + index * columns, count: columns)
        }
      }
    }
  }
}
