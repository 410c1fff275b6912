import TensorCore

/// How alike the geometry of the same conditions is in two spaces (Kriegeskorte et al. 2008): the rank
/// correlation of their distances.
///
/// Conditions stand in strata: only distances within a stratum are compared, and only conditions of
/// one stratum change places in a permutation, so that what a design makes of the others counts for
/// nothing.
public struct RepresentationalSimilarity: Sendable {
  /// Squared distances of all conditions in the two spaces, `[conditions, conditions]`; several where
  /// the same conditions were measured more than once.
  public let spaces: [(a: [Double], b: [Double])]
  public let strata: [[Int]]
  private let count: Int
  private let pairs: [(Int, Int)]

  public init(_ spaces: [(a: [Double], b: [Double])], strata: [[Int]], conditions: Int) {
    precondition(
      spaces.allSatisfy { $0.a.count == conditions * conditions && $0.b.count == $0.a.count })
    self.spaces = spaces
    self.strata = strata
    count = conditions
    pairs = strata.flatMap { stratum in
      stratum.indices.flatMap { i in stratum[(i + 1)...].map { (stratum[i], $0) } }
    }
  }

  /// Squared Euclidean distances between conditions, from their inner products: `[n, n]`.
  public static func distances(gram: [Double], count n: Int) -> [Double] {
    precondition(gram.count == n * n)
    return (0..<n * n).map { entry in
      let (i, j) = (entry / n, entry % n)
      return gram[i * n + i] + gram[j * n + j] - gram[i * n + j] - gram[j * n + i]
    }
  }

  /// Spearman's correlation of the distances, a mean where there are several spaces; NaN where
  /// distances do not vary.
  public var correlation: Double {
    spaces.reduce(0) {
      $0 + RankCorrelation.spearman(values($1.a), values($1.b)) / Double(spaces.count)
    }
  }

  /// A one-sided test that the correlation is above what it is when the conditions of the second space
  /// change places.
  public func pValue(draws: SequentialMonteCarlo, seed: UInt64) -> Double {
    let found = correlation
    guard found.isFinite else { return .nan }
    let ranks = spaces.map { space in
      // As a matrix, so that a draw sorts nothing.
      var matrix = [Double](repeating: 0, count: count * count)
      for ((i, j), rank) in zip(pairs, RankCorrelation.ranks(values(space.b))) {
        (matrix[i * count + j], matrix[j * count + i]) = (rank, rank)
      }
      return (a: RankCorrelation.ranks(values(space.a)), b: matrix)
    }
    var random = RandomStream(seed: seed, path: [0x45DA])
    var places = Array(0..<count)
    return draws.pValue {
      for stratum in strata {
        var order = stratum
        random.shuffle(&order)
        for (condition, place) in zip(stratum, order) { places[condition] = place }
      }
      let drawn = ranks.reduce(0) { sum, space in
        sum + RankCorrelation.correlation(
          space.a, pairs.map { space.b[places[$0.0] * count + places[$0.1]] })
          / Double(spaces.count)
      }
      return drawn >= found - 1e-12
    }
  }

  private func values(_ matrix: [Double]) -> [Double] {
    pairs.map { matrix[$0.0 * count + $0.1] }
  }
}
