import TensorCore

/// Percentile bootstrap over samples (Efron 1979), such as episodes or images: they are drawn with replacement, and the
/// interval lies between the percentiles of the statistic over the draws.
///
/// Resample *b* is drawn from its own stream, so that all figures of a run are compared over the same
/// resamples and do not depend on the order or thread they are computed in. Few draws are kept; many
/// are made again for every interval, so that memory does not grow with samples × resamples.
public struct Bootstrap: Sendable {
  public let samples: Int
  public let resamples: Int
  public let level: Double
  private let seed: UInt64
  /// Samples drawn, resample after resample: `[resamples, samples]`; empty where they are not kept.
  private let draws: [Int32]
  /// Draws that are kept between intervals: 128 MB.
  static let mostKept = 1 << 25

  /// - Parameters:
  ///   - samples: how many there are; without any, every interval is undefined (NaN).
  ///   - level: share of repeated experiments whose interval holds the truth, for example 0.95.
  public init(samples: Int, resamples: Int = 10_000, level: Double = 0.95, seed: UInt64) {
    self.init(
      samples: samples, resamples: resamples, level: level, seed: seed, keeping: Self.mostKept)
  }

  init(samples: Int, resamples: Int, level: Double, seed: UInt64, keeping most: Int) {
    precondition(samples >= 0 && resamples > 0 && level > 0 && level < 1)
    self.samples = samples
    self.resamples = resamples
    self.level = level
    self.seed = seed
    var draws: [Int32] = []
    if samples <= most / resamples {
      draws.reserveCapacity(samples * resamples)
      for resample in 0..<resamples where samples > 0 {
        var random = Self.stream(seed, resample)
        for _ in 0..<samples { draws.append(Int32(random.integer(below: samples))) }
      }
    }
    self.draws = draws
  }

  private static func stream(_ seed: UInt64, _ resample: Int) -> RandomStream {
    RandomStream(seed: seed, path: [0x626F_6F74, UInt64(resample)])
  }

  /// The interval of any statistic, given as a function of the indices of the samples it is over.
  ///
  /// Resamples where the statistic is undefined (NaN) are left out as long as they are fewer than
  /// the share that the interval leaves out at either end; with more of them there are no bounds.
  public func interval(of statistic: ([Int]) throws -> Double) rethrows -> Interval {
    let estimate = try statistic(Array(0..<samples))
    var indices = [Int](repeating: 0, count: samples)
    let values = try (0..<resamples).map { resample in
      if draws.isEmpty {
        var random = Self.stream(seed, resample)
        for i in 0..<samples { indices[i] = random.integer(below: samples) }
      } else {
        for i in 0..<samples { indices[i] = Int(draws[resample * samples + i]) }
      }
      return try statistic(indices)
    }
    return percentiles(of: values, estimate: estimate)
  }

  /// The interval of a mean over samples.
  public func mean(_ values: [Double]) -> Interval {
    precondition(values.count == samples)
    let estimate = values.reduce(0, +) / Double(samples)
    return percentiles(of: resampledMeans(values), estimate: estimate)
  }

  /// The interval of mean(numerators) / mean(denominators).
  ///
  /// Where the sign of the denominator itself is in doubt at this level, so is the sign of the
  /// ratio, and there are no bounds (compare Fieller 1954): −∞ to +∞.
  public func ratio(_ numerators: [Double], over denominators: [Double]) -> Interval {
    precondition(numerators.count == samples && denominators.count == samples)
    let below = denominators.reduce(0, +)
    let estimate = numerators.reduce(0, +) / below
    let tops = resampledMeans(numerators)
    // A denominator of the wrong sign makes the ratio undefined, not merely large.
    let bottoms = resampledMeans(denominators)
    let values = zip(tops, bottoms).map { top, bottom in
      bottom * below > 0 ? top / bottom : .nan
    }
    return percentiles(of: values, estimate: estimate)
  }

  private func resampledMeans(_ values: [Double]) -> [Double] {
    values.withUnsafeBufferPointer { values in
      draws.withUnsafeBufferPointer { draws in
        (0..<resamples).map { resample in
          var sum = 0.0
          if draws.isEmpty {
            var random = Self.stream(seed, resample)
            for _ in 0..<samples { sum += values[random.integer(below: samples)] }
          } else {
            for i in resample * samples..<(resample + 1) * samples {
              sum += values[Int(draws[i])]
            }
          }
          return sum / Double(samples)
        }
      }
    }
  }

  private func percentiles(of values: [Double], estimate: Double) -> Interval {
    guard !estimate.isNaN else {
      return Interval(estimate: estimate, low: .nan, high: .nan, level: level)
    }
    let tail = (1 - level) / 2
    let defined = values.filter { !$0.isNaN }.sorted()
    guard Double(values.count - defined.count) <= tail * Double(values.count) else {
      return Interval(estimate: estimate, low: -.infinity, high: .infinity, level: level)
    }
    return Interval(
      estimate: estimate, low: quantile(defined, tail), high: quantile(defined, 1 - tail),
      level: level)
  }
}

/// The quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan 1996).
public func quantile(_ sorted: [Double], _ share: Double) -> Double {
  guard let last = sorted.last else { return .nan }
  let place = share * Double(sorted.count - 1)
  let index = Int(place)
  guard index + 1 < sorted.count else { return last }
  let weight = place - Double(index)
  return weight == 0 ? sorted[index] : sorted[index] * (1 - weight) + sorted[index + 1] * weight
}
