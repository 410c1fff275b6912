import TensorCore

/// Sums that give mean and covariance of features, in double precision. Moments about the same
/// origin can be added, and taken away from a sum again.
public struct FeatureMoments: Sendable {
  public private(set) var count: Int
  /// What every feature vector was measured from: near the mean, so that nothing cancels.
  private let origin: [Double]
  /// Σ (x − origin).
  private var sums: [Double]
  /// Σ (x − origin)(x − origin)ᵀ, the upper triangle.
  private var products: [Double]

  /// Rows that are converted to double precision at a time.
  private static let rowsAtOnce = 512

  public var dimension: Int { origin.count }

  /// Moments of some rows of `features`.
  ///
  /// - Parameters:
  ///   - features: `[n, dimension]`.
  ///   - rows: the rows to take; all by default.
  ///   - origin: any point; near the mean is best.
  public init(_ features: Tensor, rows: [Int]? = nil, origin: [Double]) {
    precondition(features.shape.count == 2 && features.columns == origin.count)
    let dimension = origin.count
    let rows = rows ?? Array(0..<features.rows)
    var sums = [Double](repeating: 0, count: dimension)
    var products = [Double](repeating: 0, count: dimension * dimension)
    var block = [Double](repeating: 0, count: Self.rowsAtOnce * dimension)
    features.withPointer { source in
      for start in stride(from: 0, to: rows.count, by: Self.rowsAtOnce) {
        let part = rows[start..<min(start + Self.rowsAtOnce, rows.count)]
        for (place, row) in part.enumerated() {
          for j in 0..<dimension {
            let value = Double(source[row * dimension + j]) - origin[j]
            block[place * dimension + j] = value
            sums[j] += value
          }
        }
        addGram(n: dimension, k: part.count, a: block, c: &products)
      }
    }
    count = rows.count
    self.origin = origin
    self.sums = sums
    self.products = products
  }

  /// The mean of the rows of `features`, in double precision: a good origin.
  public static func mean(of features: Tensor) -> [Double] {
    var sums = [Double](repeating: 0, count: features.columns)
    features.withPointer { source in
      for i in 0..<features.count { sums[i % sums.count] += Double(source[i]) }
    }
    return sums.map { $0 / Double(max(features.rows, 1)) }
  }

  public var mean: [Double] { zip(origin, sums).map { $0 + $1 / Double(count) } }

  /// Covariance with divisor n − 1, `[dimension, dimension]`, both triangles.
  ///
  /// - Precondition: two rows at least.
  public var covariance: [Double] {
    precondition(count > 1, "the covariance of \(count) rows")
    let n = Double(count)
    var covariance = products
    for i in 0..<dimension {
      for j in i..<dimension {
        let value = (products[i * dimension + j] - sums[i] * sums[j] / n) / (n - 1)
        covariance[i * dimension + j] = value
        covariance[j * dimension + i] = value
      }
    }
    return covariance
  }

  public static func + (a: FeatureMoments, b: FeatureMoments) -> FeatureMoments {
    a.combined(with: b, sign: 1)
  }

  /// What is left of `a` without the rows of `b`.
  public static func - (a: FeatureMoments, b: FeatureMoments) -> FeatureMoments {
    a.combined(with: b, sign: -1)
  }

  private func combined(with other: FeatureMoments, sign: Int) -> FeatureMoments {
    precondition(origin == other.origin, "moments about two origins")
    var result = self
    result.count += sign * other.count
    for i in sums.indices { result.sums[i] += Double(sign) * other.sums[i] }
    for i in products.indices { result.products[i] += Double(sign) * other.products[i] }
    return result
  }
}
