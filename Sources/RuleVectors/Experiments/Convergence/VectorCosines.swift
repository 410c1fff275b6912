import TensorCore

/// Cosines between vectors of two rules: within a rule, between the rules, and of what is left of each
/// vector when the mean over both rules is taken away.
struct VectorCosines: Sendable, Equatable {
  /// Mean over pairs of one rule; nil where a vector is zero.
  var within: Double?
  /// Mean over the same pairs, one vector of each rule; nil where there is no other rule.
  var between: Double?
  /// Mean over the same pairs of cos(dᵢ, dⱼ) with d half the difference between a vector and that of
  /// the other rule in its place; nil too where they agree but for rounding. With two rules it is
  /// what is above zero exactly where inner products within a rule exceed those between rules.
  var centred: Double?

  /// - Parameters:
  ///   - pairs: indices into `left` and `right`.
  ///   - left: by rule, the own one first, then by index: vectors of one length.
  init(_ pairs: [(Int, Int)], left: [[[Double]]], right: [[[Double]]]) {
    func mean(_ values: [Double?]) -> Double? {
      let found = values.compactMap(\.self)
      return found.isEmpty ? nil : found.reduce(0, +) / Double(found.count)
    }
    within = mean(pairs.map { Self.cosine(left[0][$0.0], right[0][$0.1]) })
    guard left.count > 1, right.count > 1 else { return }
    between = mean(
      pairs.flatMap {
        [Self.cosine(left[0][$0.0], right[1][$0.1]), Self.cosine(left[1][$0.0], right[0][$0.1])]
      })
    centred = mean(
      pairs.map { i, j in
        Self.difference(left[0][i], left[1][i]).flatMap { a in
          Self.difference(right[0][j], right[1][j]).flatMap { Self.cosine(a, $0) }
        }
      })
  }

  /// Nil where either vector is zero.
  static func cosine(_ a: [Double], _ b: [Double]) -> Double? {
    var (ab, aa, bb) = (0.0, 0.0, 0.0)
    for i in a.indices {
      ab += a[i] * b[i]
      aa += a[i] * a[i]
      bb += b[i] * b[i]
    }
    return aa > 0 && bb > 0 ? ab / (aa * bb).squareRoot() : nil
  }

  /// Half the difference; nil where it is no more than the rounding of single precision.
  static func difference(_ a: [Double], _ b: [Double]) -> [Double]? {
    let difference = a.indices.map { (a[$0] - b[$0]) / 2 }
    let length = difference.reduce(0) { $0 + $1 * $1 }
    let whole = a.reduce(0) { $0 + $1 * $1 } + b.reduce(0) { $0 + $1 * $1 }
    return length > 1e-10 * whole ? difference : nil
  }

  /// Indices of the `count` coordinates with the largest mean square over `vectors`: those of massive
  /// activations (Sun et al. 2024), which decide the cosine of any two residual streams.
  static func largestCoordinates(_ count: Int, of vectors: [[Double]]) -> [Int] {
    guard let width = vectors.first?.count else { return [] }
    let squares = (0..<width).map { i in vectors.reduce(0) { $0 + $1[i] * $1[i] } }
    return (0..<width).sorted { (-squares[$0], $0) < (-squares[$1], $1) }.prefix(count).sorted()
  }

  /// The vectors with zeros at `coordinates`.
  static func leavingOut(_ coordinates: [Int], of vectors: [[[Double]]]) -> [[[Double]]] {
    vectors.map {
      $0.map { vector in
        var vector = vector
        for i in coordinates where i < vector.count { vector[i] = 0 }
        return vector
      }
    }
  }
}
