import Foundation

/// An estimate whose variance has several sources, each known with some degrees of freedom.
///
/// Sources are of two kinds: the spread between runs, and errors of measurement that more runs do not
/// make smaller. Within a kind degrees of freedom are those of Welch and Satterthwaite (Satterthwaite
/// 1946). The two half-widths, each with its own t, are added in quadrature (Howe 1974): a few runs that
/// lie near one another by chance would else borrow the degrees of a large error of measurement, and
/// that error could make an interval narrower.
public struct UncertainValue: Sendable, Equatable {
  struct Source: Sendable, Equatable {
    let variance: Double
    let degrees: Double
  }

  /// Where the error of a measurement comes from.
  public enum ErrorOrigin: Sendable {
    /// From what is drawn anew for every run: the spread between runs holds it.
    case eachRun
    /// Also from what all runs are measured with, such as reference images: it moves all values
    /// together, so the spread does not hold it, and more runs do not make it smaller.
    case shared
  }

  public let estimate: Double
  let spread: [Source]
  let measurement: [Source]
  /// The estimate with each part of what is measured left out in turn, where that is known. Values that were
  /// measured with the same parts have errors that go together; these say how.
  let leaveOneOut: [Double]?

  init(
    estimate: Double, spread: [Source], measurement: [Source], leaveOneOut: [Double]? = nil
  ) {
    self.estimate = estimate
    self.spread = spread
    self.measurement = measurement
    self.leaveOneOut = leaveOneOut
  }

  /// The mean of a quantity over runs, each measured with one part after the other left out.
  ///
  /// What all runs were measured with moves all leave-one-out values of a part together, what each run has for
  /// itself does not: the jackknife of the mean (Efron & Tibshirani 1993, equation 11.5) holds the first whole and
  /// divides the second by the number of runs. The second is in the spread too: intervals are rather too wide.
  ///
  /// - Parameters:
  ///   - values: one a run.
  ///   - leaveOneOut: of each run, one value a part; as many for all.
  public init(values: [Double], leaveOneOut: [[Double]]) {
    precondition(
      leaveOneOut.count == values.count && Set(leaveOneOut.map(\.count)).count == 1,
      "leave-one-out values of other runs or parts")
    let n = Double(values.count)
    let means = (leaveOneOut.first ?? []).indices.map { part in
      leaveOneOut.reduce(0) { $0 + $1[part] } / n
    }
    let plain = UncertainValue(values: values)
    self.init(
      estimate: plain.estimate, spread: plain.spread, measurement: [Self.jackknife(means)],
      leaveOneOut: means)
  }

  /// The mean over runs of what is itself an estimate of each: the spread is that of the runs, which holds what each
  /// run's own parts err by.
  public init(runs: [UncertainValue]) {
    let parts = runs.compactMap(\.leaveOneOut)
    if parts.count == runs.count, Set(parts.map(\.count)).count == 1 {
      self.init(values: runs.map(\.estimate), leaveOneOut: parts)
    } else {
      self.init(
        values: runs.map(\.estimate),
        standardErrors: runs.map { run in
          let variance = run.measurement.reduce(0) { $0 + $1.variance }
          return variance > 0 ? variance.squareRoot() : nil
        })
    }
  }

  private static func jackknife(_ values: [Double]) -> Source {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return Source(variance: (n - 1) / n * squares, degrees: n - 1)
  }

  /// The mean of a quantity over runs that was itself measured with errors.
  ///
  /// Its variance is V / n, with V the variance between n runs, and for shared errors E beside it, the
  /// mean squared standard error. E is not divided by n. Where a standard error has parts of both
  /// origins, as the jackknife over generated and reference images, E bounds the shared one from above:
  /// intervals are then too wide, never too narrow. With a single run the spread is unknown and left
  /// out, and E is the whole variance.
  ///
  /// - Parameters:
  ///   - values: one a run.
  ///   - standardErrors: of each value; nil where unknown.
  ///   - origin: of these errors.
  ///   - errorDegrees: degrees of freedom of a standard error; 19 for a jackknife over twentieths.
  public init(
    values: [Double], standardErrors: [Double?] = [], origin: ErrorOrigin = .shared,
    errorDegrees: Double = 19
  ) {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let errors = standardErrors.compactMap(\.self)
    let squared = errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
    let isMeasured = !errors.isEmpty && (origin == .shared || values.count == 1)
    self.init(
      estimate: mean,
      spread: values.count > 1
        ? [Source(variance: squares / (n - 1) / n, degrees: n - 1)] : [],
      measurement: isMeasured ? [Source(variance: squared, degrees: errorDegrees)] : [])
  }

  private var isKnown: Bool { !spread.isEmpty || !measurement.isEmpty }
  public var variance: Double { (spread + measurement).reduce(0) { $0 + $1.variance } }
  public var standardError: Double { isKnown ? variance.squareRoot() : .nan }

  /// The sum of each kind's sources, with the degrees of Welch and Satterthwaite.
  private var kinds: [Source] {
    [spread, measurement].compactMap { sources in
      let variance = sources.reduce(0) { $0 + $1.variance }
      guard variance > 0 else { return nil }
      let below = sources.reduce(0) { $0 + $1.variance * $1.variance / $1.degrees }
      return Source(variance: variance, degrees: variance * variance / below)
    }
  }

  /// Half of the interval that leaves out `p`.
  private static func halfWidth(_ kinds: [Source], leavingOut p: Double) -> Double {
    kinds.reduce(0) {
      let t = StudentT.quantile(twoSided: p, degrees: $1.degrees)
      return $0 + t * t * $1.variance
    }.squareRoot()
  }

  /// Two-sided p value of the test that the true value is 0: what the interval that ends at 0 leaves
  /// out. NaN where no variance is known.
  public var pValue: Double {
    guard isKnown, !estimate.isNaN else { return .nan }
    let kinds = kinds
    guard !kinds.isEmpty else { return estimate == 0 ? 1 : 0 }
    let alone = kinds.map {
      StudentT.twoSided(estimate / $0.variance.squareRoot(), degrees: $0.degrees)
    }
    guard kinds.count > 1, let least = alone.max(), least > 0 else { return alone.max() ?? .nan }
    // More than either kind would give alone.
    var (low, high) = (log(least), 0.0)
    for _ in 0..<40 {
      let middle = (low + high) / 2
      let half = Self.halfWidth(kinds, leavingOut: exp(middle))
      if half > abs(estimate) { low = middle } else { high = middle }
    }
    return exp((low + high) / 2)
  }

  /// The t interval; without bounds where no variance is known.
  public func interval(level: Double = 0.95) -> Interval {
    guard isKnown, !estimate.isNaN else {
      return Interval(estimate: estimate, low: .nan, high: .nan, level: level)
    }
    let half = Self.halfWidth(kinds, leavingOut: 1 - level)
    return Interval(estimate: estimate, low: estimate - half, high: estimate + half, level: level)
  }

  /// Σ weight · value. Unknown where the variance of any value is.
  ///
  /// Where all values know what they are without each part, shared errors are those of the sum: what goes the same way
  /// cancels in a difference. Elsewhere all sources are added as if they were independent. Between values that were measured with the same
  /// reference that is a bound as well: as far as their shared errors e go the same way, they cancel and
  /// the variance of a difference is smaller. Were they wholly opposed, it would be (e₁ + e₂)² at most,
  /// which is no more than 2 e₁² + 2 e₂² and so covered where runs' own images make at least half of the
  /// squared standard errors.
  public static func combination(
    _ terms: [(weight: Double, value: UncertainValue)]
  ) -> UncertainValue {
    let isKnown = terms.allSatisfy { $0.value.isKnown }
    func sources(_ kind: KeyPath<UncertainValue, [Source]>) -> [Source] {
      guard isKnown else { return [] }
      return terms.flatMap { weight, value in
        value[keyPath: kind].map {
          Source(variance: weight * weight * $0.variance, degrees: $0.degrees)
        }
      }
    }
    let estimate = terms.reduce(0) { $0 + $1.weight * $1.value.estimate }
    let parts = terms.compactMap(\.value.leaveOneOut)
    if isKnown, parts.count == terms.count, let first = parts.first,
      parts.allSatisfy({ $0.count == first.count })
    {
      let sums = first.indices.map { part in
        zip(terms, parts).reduce(0) { $0 + $1.0.weight * $1.1[part] }
      }
      return UncertainValue(
        estimate: estimate, spread: sources(\.spread), measurement: [jackknife(sums)],
        leaveOneOut: sums)
    }
    return UncertainValue(
      estimate: estimate, spread: sources(\.spread), measurement: sources(\.measurement))
  }

  public static func - (a: UncertainValue, b: UncertainValue) -> UncertainValue {
    combination([(1, a), (-1, b)])
  }
}
