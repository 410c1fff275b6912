import TensorCore

extension PermutationTest {
  /// Tests whether two independent samples have the same mean, by permutation of Welch's t (Janssen
  /// 1997; Neubert and Brunner 2007).
  ///
  /// The level holds at every size where the samples are distributed alike, and is approached where
  /// only their means agree, whatever their variances. Up to `largestSplits` ways to split the values
  /// all are counted; beyond, they are drawn.
  ///
  /// - Returns: p is not a number where a sample has fewer than two values, which say nothing of its
  ///   variance, or where a value is not finite. `meanDifference` is the mean of `a` less that of `b`.
  public static func independent(
    _ a: [Double], _ b: [Double], alternative: Alternative = .twoSided,
    draws: SequentialMonteCarlo = SequentialMonteCarlo(), seed: UInt64
  ) -> Result {
    let difference = Moments(a).mean - Moments(b).mean
    guard a.count > 1, b.count > 1, difference.isFinite else {
      return Result(meanDifference: difference, pValue: .nan, isExact: false, smallestPValue: .nan)
    }
    let splits = Splits(a, b)
    let observed = splits.statistic(Array(a.indices))
    let isExtreme: ([Int]) -> Bool = { members in
      let t = splits.statistic(members)
      // Equal splits must count as equal, whatever the rounding of their sums.
      let tolerance = observed.isFinite ? 1e-9 * (1 + observed.magnitude) : 0
      return switch alternative {
      case .twoSided: t.magnitude >= observed.magnitude - tolerance
      case .greater: t >= observed - tolerance
      case .less: t <= observed + tolerance
      }
    }
    if let number = splits.number(upTo: largestSplits) {
      var extreme = 0
      splits.forEach { if isExtreme($0) { extreme += 1 } }
      let mirrored = alternative == .twoSided && a.count == b.count
      return Result(
        meanDifference: difference, pValue: Double(extreme) / Double(number), isExact: true,
        smallestPValue: (mirrored ? 2 : 1) / Double(number))
    }
    var random = RandomStream(seed: seed, path: [0x7370_6C69])
    var order = Array(0..<a.count + b.count)
    let p = draws.pValue {
      for i in a.indices { order.swapAt(i, i + random.integer(below: order.count - i)) }
      return isExtreme(order)
    }
    return Result(
      meanDifference: difference, pValue: p, isExact: false, smallestPValue: draws.smallestPValue)
  }

  /// Up to this many ways to split two samples all are counted: ten and ten have 184,756.
  static let largestSplits = 200_000
}

/// The values of two samples, split anew.
private struct Splits {
  /// Less their common mean, so that squares keep their digits.
  private let values: [Double]
  private let size: Int
  private let sum: Double
  private let squares: Double

  init(_ a: [Double], _ b: [Double]) {
    let mean = (a + b).reduce(0, +) / Double(a.count + b.count)
    values = (a + b).map { $0 - mean }
    size = a.count
    sum = values.reduce(0, +)
    squares = values.reduce(0) { $0 + $1 * $1 }
  }

  /// Welch's t with the first `size` of `members` in the first sample; infinite where neither sample
  /// varies and their means differ, 0 where these agree.
  func statistic(_ members: [Int]) -> Double {
    var (own, ownSquares) = (0.0, 0.0)
    for i in 0..<size {
      let value = values[members[i]]
      own += value
      ownSquares += value * value
    }
    let (n, m) = (Double(size), Double(values.count - size))
    let (other, otherSquares) = (sum - own, squares - ownSquares)
    let difference = own / n - other / m
    // Squares of what does not vary are zero but for rounding.
    let least = 1e-13 * squares
    func variance(_ sum: Double, _ squares: Double, _ n: Double) -> Double {
      let about = squares - sum * sum / n
      return about > least ? about / (n - 1) / n : 0
    }
    let below = variance(own, ownSquares, n) + variance(other, otherSquares, m)
    if below > 0 { return difference / below.squareRoot() }
    return difference.magnitude <= 1e-13 * squares.squareRoot()
      ? 0 : (difference > 0 ? .infinity : -.infinity)
  }

  /// How many splits there are; nil if more than `limit`.
  func number(upTo limit: Int) -> Int? {
    var number = 1
    for i in 0..<min(size, values.count - size) {
      number = number * (values.count - i) / (i + 1)
      if number > limit { return nil }
    }
    return number
  }

  /// Calls `body` with the first sample's members in every split, in lexicographic order.
  func forEach(_ body: ([Int]) -> Void) {
    var members = Array(0..<size)
    while true {
      body(members)
      guard
        let last = members.indices.last(where: { members[$0] < values.count - size + $0 })
      else { return }
      members[last] += 1
      for i in last + 1..<max(size, last + 1) { members[i] = members[i - 1] + 1 }
    }
  }
}
