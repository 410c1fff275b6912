import TensorCore

/// A vector as a linear combination of others, about the means: y ≈ ȳ + Σᵢ βᵢ (xᵢ − x̄ᵢ), one
/// coefficient a part, shared by all coordinates (How Few-Shot Examples Add Up, 2026).
struct LinearCombination: Sendable, Equatable {
  let coefficients: [Double]
  /// Of each part.
  let partMeans: [[Double]]
  let targetMean: [Double]

  /// Fits the coefficients by least squares over samples and coordinates.
  ///
  /// Parts that say nearly the same leave single coefficients undetermined; a millionth of their mean
  /// square on the diagonal of the normal equations then chooses among equally good ones.
  ///
  /// - Parameters:
  ///   - parts: by sample, then by part.
  ///   - targets: by sample.
  ///   - leftOut: coordinates that do not count.
  /// - Returns: nil without samples or parts.
  init?(parts: [[[Double]]], targets: [[Double]], leavingOut leftOut: Set<Int> = []) {
    guard let first = parts.first, !first.isEmpty, parts.count == targets.count else { return nil }
    let partMeans = first.indices.map { part in Self.mean(parts.map { $0[part] }) }
    let targetMean = Self.mean(targets)
    let counted = targetMean.indices.filter { !leftOut.contains($0) }
    let count = first.count
    var products = [[Double]](repeating: [Double](repeating: 0, count: count), count: count)
    var right = [Double](repeating: 0, count: count)
    for (parts, target) in zip(parts, targets) {
      let centred = zip(parts, partMeans).map { part, mean in counted.map { part[$0] - mean[$0] } }
      let wanted = counted.map { target[$0] - targetMean[$0] }
      for i in 0..<count {
        for j in 0...i { products[i][j] += Self.dot(centred[i], centred[j]) }
        right[i] += Self.dot(centred[i], wanted)
      }
    }
    let ridge = 1e-6 * (0..<count).reduce(0) { $0 + products[$1][$1] } / Double(count)
    for i in 0..<count { products[i][i] += ridge }
    coefficients = Self.solve(products, right)
    self.partMeans = partMeans
    self.targetMean = targetMean
  }

  func callAsFunction(_ parts: [[Double]]) -> [Double] {
    var sum = targetMean
    for ((part, mean), coefficient) in zip(zip(parts, partMeans), coefficients) {
      for i in sum.indices { sum[i] += coefficient * (part[i] - mean[i]) }
    }
    return sum
  }

  /// Mean over vectors of one length.
  static func mean(_ vectors: [[Double]]) -> [Double] {
    var sum = [Double](repeating: 0, count: vectors.first?.count ?? 0)
    for vector in vectors { for i in sum.indices { sum[i] += vector[i] / Double(vectors.count) } }
    return sum
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for i in a.indices { sum += a[i] * b[i] }
    return sum
  }

  /// Cholesky's method for a symmetric matrix whose lower triangle is given; zeros where it is singular.
  private static func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
    var lower = matrix
    var x = right
    for i in x.indices {
      for j in 0...i {
        let sum = (0..<j).reduce(matrix[i][j]) { $0 - lower[i][$1] * lower[j][$1] }
        guard i == j else {
          lower[i][j] = sum / lower[j][j]
          continue
        }
        guard sum > 0 else { return right.map { _ in 0 } }
        lower[i][i] = sum.squareRoot()
      }
      x[i] = (0..<i).reduce(x[i]) { $0 - lower[i][$1] * x[$1] } / lower[i][i]
    }
    for i in x.indices.reversed() {
      x[i] = (i + 1..<x.count).reduce(x[i]) { $0 - lower[$1][i] * x[$1] } / lower[i][i]
    }
    return x
  }
}
