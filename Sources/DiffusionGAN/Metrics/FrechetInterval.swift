import TensorCore

/// How exactly a Fréchet distance is known: a jackknife that leaves out one random twentieth of both
/// sets at a time.
public struct FrechetInterval: Sendable {
  /// Distance of the whole sets.
  public let distance: FrechetDistance
  /// Nil where the features are too many for the jackknife to be cheap, and where either set has fewer than 80 rows.
  public let standardError: Double?
  /// The distance without each part in turn; empty where there is no jackknife. Parts are places in a set: sets of one
  /// reference, or of the same latents, have the same ones.
  public let leaveOneOut: [Double]

  /// Parts that are left out in turn.
  private static let parts = 20
  /// Most dimensions: the jackknife solves 20 eigenproblems of this order.
  private static let mostDimensions = 256

  /// - Parameters:
  ///   - first, second: `[n, dimension]`, two rows at least.
  ///   - pool: threads; the result does not depend on their number.
  public init(_ first: Tensor, _ second: Tensor, pool: ThreadPool) throws {
    let origin = FeatureMoments.mean(of: first)
    let sets = [first, second]
    guard Self.isCheap(first, second) else {
      let moments = pool.map(2) { FeatureMoments(sets[$0], origin: origin) }
      distance = try FrechetDistance(moments[0], moments[1])
      standardError = nil
      leaveOneOut = []
      return
    }
    // Shuffled, as neighbours in a file may be of one class.
    let rows = sets.indices.map { set in
      var stream = RandomStream(seed: 0, path: [UInt64(set)])
      return stream.sample(sets[set].rows, of: Array(0..<sets[set].rows))
    }
    let moments = pool.map(2 * Self.parts) { task in
      let (set, part) = (task / Self.parts, task % Self.parts)
      let chosen = stride(from: part, to: rows[set].count, by: Self.parts).map { rows[set][$0] }
      return FeatureMoments(sets[set], rows: chosen, origin: origin)
    }
    let wholes = [0, 1].map { set in
      moments[(set * Self.parts + 1)..<(set + 1) * Self.parts]
        .reduce(moments[set * Self.parts], +)
    }
    distance = try FrechetDistance(wholes[0], wholes[1])
    let values = try pool.map(Self.parts) { part in
      Result {
        try FrechetDistance(
          wholes[0] - moments[part], wholes[1] - moments[Self.parts + part]
        ).value
      }
    }.map { try $0.get() }
    let n = Double(Self.parts)
    let mean = values.reduce(0, +) / n
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    standardError = ((n - 1) / n * squares).squareRoot()
    leaveOneOut = values
  }

  private static func isCheap(_ first: Tensor, _ second: Tensor) -> Bool {
    first.columns <= mostDimensions && min(first.rows, second.rows) >= 4 * parts
  }

  /// The standard error alone, at no cost where it is nil.
  static func standardError(_ first: Tensor, _ second: Tensor, pool: ThreadPool) throws -> Double? {
    isCheap(first, second) ? try FrechetInterval(first, second, pool: pool).standardError : nil
  }
}
