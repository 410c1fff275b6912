import TensorCore

/// A vector as a linear combination of others, about the means: y ≈ ȳ + Σᵢ βᵢ (xᵢ − x̄ᵢ), one
/// coefficient a part, shared by all coordinates (How Few-Shot Examples Add Up, 2026).
struct LinearCombination: Sendable, Equatable {
  let coefficients: [Double]
  /// Of each part.
  let partMeans: [[Double]]
  let targetMean: [Double]

  /// To which vectors of runs that should be equal agree, as a share of their length.
  static let rounding = 1e-5

  /// Fits the coefficients by least squares over samples and coordinates.
  ///
  /// Parts that say nearly the same leave single coefficients undetermined; a millionth of their mean
  /// square on the diagonal of the normal equations then chooses among equally good ones. What varies by
  /// less than `rounding` of a part's length says nothing, and gets no coefficient.
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
    // The upper triangle, row by row.
    var products = [Double](repeating: 0, count: count * count)
    var right = [Double](repeating: 0, count: count)
    var lengths = 0.0
    for (parts, target) in zip(parts, targets) {
      let centred = zip(parts, partMeans).map { part, mean in counted.map { part[$0] - mean[$0] } }
      let wanted = counted.map { target[$0] - targetMean[$0] }
      for i in 0..<count {
        for j in i..<count { products[i * count + j] += Self.dot(centred[i], centred[j]) }
        right[i] += Self.dot(centred[i], wanted)
        lengths += Self.dot(parts[i], parts[i])
      }
    }
    let squares = (0..<count).reduce(0) { $0 + products[$1 * (count + 1)] }
    let ridge = (1e-6 * squares + Self.rounding * Self.rounding * lengths) / Double(count)
    for i in 0..<count { products[i * (count + 1)] += ridge }
    // Parts that do not vary explain nothing.
    coefficients =
      (try? PositiveDefiniteSolve.solutions(products, order: count, right: right))
      ?? right.map { _ in 0 }
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
}
