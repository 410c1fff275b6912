import TensorCore

/// Sums of values under all, or random, patterns of signs.
struct SignFlips {
  /// Zeros have no sign and are left out; a pattern's sum does not depend on the signs found.
  private let magnitudes: [Double]

  init(_ values: [Double]) { magnitudes = values.map(\.magnitude).filter { $0 > 0 } }

  /// How many values have a sign.
  var count: Int { magnitudes.count }

  /// Up to this many values the share of patterns is counted, not drawn.
  static let largestExact = 40

  /// The share of all 2ⁿ patterns whose sum is at least `threshold`.
  ///
  /// The sums of either half are listed in order, and pairs counted by one walk through both lists
  /// (Horowitz and Sahni 1974): time and memory of 2^(n/2) numbers.
  func share(from threshold: Double) -> Double {
    let half = count / 2
    let first = Self.sums(magnitudes[..<half])
    let second = Self.sums(magnitudes[half...])
    // Steps of 0 or 1 rather than branches, which would be guessed wrong every other time.
    let reached = first.withUnsafeBufferPointer { first in
      second.withUnsafeBufferPointer { second in
        var reached = 0
        var (i, start) = (0, second.count)
        while i < first.count, start > 0 {
          let step = first[i] + second[start - 1] >= threshold ? 1 : 0
          start -= step
          i += 1 - step
          reached += (1 - step) * (second.count - start)
        }
        return reached + (first.count - i) * (second.count - start)
      }
    }
    return Double(reached) / (Double(first.count) * Double(second.count))
  }

  /// All sums of ± the magnitudes, smallest first.
  private static func sums(_ magnitudes: ArraySlice<Double>) -> [Double] {
    var sums = [0.0]
    for magnitude in magnitudes {
      let count = sums.count
      sums = sums.withUnsafeBufferPointer { sums in
        [Double](unsafeUninitializedCapacity: 2 * count) { merged, initialized in
          var (lower, upper) = (0, 0)
          while lower < count {
            let (less, more) = (sums[lower] - magnitude, sums[upper] + magnitude)
            let step = more < less ? 1 : 0
            merged[lower + upper] = step == 1 ? more : less
            upper += step
            lower += 1 - step
          }
          while upper < count {
            merged[lower + upper] = sums[upper] + magnitude
            upper += 1
          }
          initialized = 2 * count
        }
      }
    }
    return sums
  }

  /// The p-value by random patterns, each as extreme where `isExtreme` of its sum.
  ///
  /// A pattern costs 64 signs a random word and one addition for eight of them: the sums of eight
  /// values under their 256 patterns are looked up.
  func pValue(
    _ draws: SequentialMonteCarlo, seed: UInt64, isExtreme: (Double) -> Bool
  ) -> Double {
    let tables = (count + 7) / 8
    var table = [Double](repeating: 0, count: tables * 256)
    for index in 0..<tables * 256 {
      for bit in 0..<min(8, count - index / 256 * 8) {
        let magnitude = magnitudes[index / 256 * 8 + bit]
        table[index] += index >> bit & 1 == 1 ? magnitude : -magnitude
      }
    }
    var random = RandomStream(seed: seed, path: [0x7369_676E])
    return table.withUnsafeBufferPointer { table in
      draws.pValue {
        var sum = 0.0
        var next = 0
        while next < table.count {
          var word = random.next()
          let end = min(table.count, next + 8 * 256)
          while next < end {
            sum += table[next + Int(word & 0xFF)]
            word >>= 8
            next += 256
          }
        }
        return isExtreme(sum)
      }
    }
  }
}
