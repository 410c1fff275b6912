import TensorCore

/// Demixed principal component analysis (Kobak et al. 2016), in its dual form.
///
/// The centred data X, `[samples, dimensions]`, have a part Xᵩ = P X for each marginalisation φ, P an
/// orthogonal projection. A decoder D and an encoder F of rank q minimise
/// ‖Xᵩ − X Dᵀ Fᵀ‖² + μ ‖Dᵀ Fᵀ‖²: reduced-rank regression, whose solution is the regression of Xᵩ on X
/// followed by the principal components of its predictions.
public struct DemixedPCA: Sendable {
  /// One axis: the decoder's vector is Xᵀ `duals`.
  public struct Axis: Sendable {
    /// Of samples, so that a new x has the score Σ dualsᵢ ⟨xᵢ, x⟩.
    public let duals: [Double]
    /// Scores of the samples.
    public let scores: [Double]
    /// The share of the scores' squares that lies in the marginalisation: 1 where the axis is demixed.
    public let demixed: Double
    /// Sum of squares of the regression's predictions along the axis.
    public let predicted: Double
  }

  /// In falling order of what they predict.
  public let axes: [Axis]

  /// - Parameters:
  ///   - kernel: X Xᵀ, `[samples, samples]`.
  ///   - projection: P, `[samples, samples]`.
  ///   - penalty: μ, above 0.
  ///   - rank: most axes.
  /// - Throws: `UserError` for values that are not finite.
  public init(kernel: [Double], projection: [Double], penalty: Double, rank: Int) throws {
    let n = Int(Double(kernel.count).squareRoot().rounded())
    precondition(kernel.count == n * n && projection.count == n * n && penalty > 0)
    func product(_ a: [Double], _ b: [Double]) -> [Double] {
      var c = [Double](repeating: 0, count: n * n)
      gemm(m: n, n: n, k: n, a: a, b: b, transposeB: false, c: &c)
      return c
    }
    func product(_ a: [Double], vector: [Double]) -> [Double] {
      var c = [Double](repeating: 0, count: n)
      gemm(m: n, n: 1, k: n, a: a, b: vector, transposeB: false, c: &c)
      return c
    }
    var shifted = kernel
    for i in 0..<n { shifted[i * n + i] += penalty }
    // K (K + μ)⁻¹, which is symmetric: rows of the solutions of (K + μ) x = rows of K.
    let hat = try PositiveDefiniteSolve.solutions(shifted, order: n, right: kernel)
    let predictions = product(hat, projection)
    var transposed = [Double](repeating: 0, count: n * n)
    for i in 0..<n {
      for j in 0..<n { transposed[j * n + i] = predictions[i * n + j] }
    }
    let gram = product(product(predictions, kernel), transposed)
    let eigen = try SymmetricEigen(gram, order: n, wantsVectors: true)
    let largest = max(eigen.values.last ?? 0, 0)
    axes = try (0..<min(rank, n)).compactMap { number in
      let place = n - 1 - number
      let size = eigen.values[place]
      guard size > 1e-10 * largest, size > 0 else { return nil }
      let left = Array(eigen.vectors[place * n..<(place + 1) * n])
      // The encoder's vector is Xᵀ `encoder`, of length 1.
      let encoder = product(transposed, vector: left).map { $0 / size.squareRoot() }
      let target = product(projection, vector: product(kernel, vector: encoder))
      let duals = try PositiveDefiniteSolve.solutions(shifted, order: n, right: target)
      let scores = product(kernel, vector: duals)
      let own = product(projection, vector: scores)
      let total = scores.reduce(0) { $0 + $1 * $1 }
      return Axis(
        duals: duals, scores: scores,
        demixed: total > 0 ? own.reduce(0) { $0 + $1 * $1 } / total : .nan, predicted: size)
    }
  }
}
