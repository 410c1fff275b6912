/// An estimate whose variance has several sources, each known with some degrees of freedom.
///
/// Differences of independent values add their sources; tests and intervals take the degrees of
/// freedom of Welch and Satterthwaite (Satterthwaite 1946).
public struct UncertainValue: Sendable, Equatable {
  struct Source: Sendable, Equatable {
    let variance: Double
    let degrees: Double
  }

  public let estimate: Double
  let sources: [Source]

  init(estimate: Double, sources: [Source]) {
    self.estimate = estimate
    self.sources = sources
  }

  /// The mean of a quantity over runs that was itself measured with errors.
  ///
  /// The spread between runs holds the errors of measuring them, as far as these are independent; they
  /// are added once more, since what runs share (reference images) is not in the spread. That errs on
  /// the side of wide intervals. With a single run its spread is unknown and left out.
  ///
  /// - Parameters:
  ///   - values: one a run.
  ///   - standardErrors: of each value; nil where unknown.
  ///   - errorDegrees: degrees of freedom of a standard error; 19 for a jackknife over twentieths.
  public init(values: [Double], standardErrors: [Double?] = [], errorDegrees: Double = 19) {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    var sources: [Source] = []
    if values.count > 1 {
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      sources.append(Source(variance: squares / (n - 1) / n, degrees: n - 1))
    }
    let errors = standardErrors.compactMap(\.self)
    if !errors.isEmpty {
      let mean = errors.reduce(0) { $0 + $1 * $1 } / Double(errors.count)
      sources.append(Source(variance: mean / n, degrees: errorDegrees))
    }
    self.init(estimate: mean, sources: sources)
  }

  public var variance: Double { sources.reduce(0) { $0 + $1.variance } }
  public var standardError: Double { sources.isEmpty ? .nan : variance.squareRoot() }

  public var degrees: Double {
    let below = sources.reduce(0) { $0 + $1.variance * $1.variance / $1.degrees }
    return below > 0 ? variance * variance / below : .infinity
  }

  /// Two-sided p value of the t test that the true value is 0; NaN where no variance is known.
  public var pValue: Double {
    guard !sources.isEmpty, !estimate.isNaN else { return .nan }
    guard variance > 0 else { return estimate == 0 ? 1 : 0 }
    return StudentT.twoSided(estimate / standardError, degrees: degrees)
  }

  /// The t interval; without bounds where no variance is known.
  public func interval(level: Double = 0.95) -> Interval {
    guard !sources.isEmpty, !estimate.isNaN else {
      return Interval(estimate: estimate, low: .nan, high: .nan, level: level)
    }
    let half =
      variance > 0 ? StudentT.halfWidth(level: level, degrees: degrees) * standardError : 0
    return Interval(estimate: estimate, low: estimate - half, high: estimate + half, level: level)
  }

  /// The difference of two independent values. Unknown where either's variance is.
  public static func - (a: UncertainValue, b: UncertainValue) -> UncertainValue {
    UncertainValue(
      estimate: a.estimate - b.estimate,
      sources: a.sources.isEmpty || b.sources.isEmpty ? [] : a.sources + b.sources)
  }
}
