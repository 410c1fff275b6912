import Foundation

/// A sentence that a test speaks to.
public struct Claim: Sendable {
  public enum Verdict: String, Sendable, CaseIterable {
    case supported, contradicted, undecided
  }

  /// What the sentence is about: a report groups by it.
  public let topic: String
  /// Short name, for scripts.
  public let name: String
  /// The sentence as it would hold.
  public let sentence: String
  /// What was compared, with numbers.
  public let evidence: String
  /// What was tested against zero; positive speaks for the sentence.
  public let difference: Double
  public let pValue: Double
  /// Adjusted for the number of claims (Holm); set by `Claim.adjusted`.
  public private(set) var adjustedPValue: Double
  /// How many samples the test is over, such as episodes.
  public let samples: Int
  /// `difference` with its interval, where one is known.
  public let effect: Interval?
  /// What `difference` is measured in, such as "logits".
  public let unit: String?
  /// Which of the paper's claims the sentence speaks to, 1 to 6.
  public let paperClaim: Int?
  /// Of the differences tested; nil where they are not known or fewer than two.
  public let standardDeviation: Double?
  /// No differences so many could have given a smaller p; nil where that is not known.
  public let smallestPValue: Double?
  /// How many samples would decide an undecided sentence at the effect found, in four of five
  /// repetitions; nil where it is decided or that cannot be told. Set by `Claim.adjusted`.
  public private(set) var samplesToDecide: Int?

  /// An adjusted p below this gives a verdict.
  public static let level = 0.05

  public var verdict: Verdict {
    guard adjustedPValue < Self.level else { return .undecided }
    return difference > 0 ? .supported : .contradicted
  }

  /// Tests by a two-sided paired permutation test whether the mean of `differences`, one a sample,
  /// is zero. The effect is their mean with Student's interval.
  ///
  /// - Parameter resolution: smaller differences are rounding and count as zero: rounding errs alike in
  ///   every sample, so that a test would find it.
  public init(
    _ topic: String, name: String, sentence: String, evidence: String, differences: [Double],
    resolution: Double = 0, unit: String? = nil, paperClaim: Int? = nil, seed: UInt64
  ) {
    let differences = differences.map { $0.magnitude < resolution ? 0 : $0 }
    let result = PermutationTest.paired(differences, seed: seed)
    self.init(
      topic, name: name, sentence: sentence, evidence: evidence, difference: result.meanDifference,
      pValue: result.pValue, samples: differences.count,
      effect: MeanInterval.student(differences), unit: unit, paperClaim: paperClaim,
      standardDeviation: Moments(differences).standardDeviation,
      smallestPValue: result.smallestPValue)
  }

  /// A sentence tested elsewhere.
  ///
  /// - Parameters:
  ///   - standardDeviation: of one sample's difference, if a t test of their mean is about as powerful
  ///     as the test that was made; it tells how many samples would decide.
  ///   - smallestPValue: the least p that the test can give with so many samples, if there is one.
  public init(
    _ topic: String, name: String, sentence: String, evidence: String, difference: Double,
    pValue: Double, samples: Int, effect: Interval? = nil, unit: String? = nil,
    paperClaim: Int? = nil, standardDeviation: Double? = nil, smallestPValue: Double? = nil
  ) {
    self.topic = topic
    self.name = name
    self.sentence = sentence
    self.evidence = evidence
    self.difference = difference
    self.pValue = pValue
    adjustedPValue = pValue
    self.samples = samples
    self.effect = effect
    self.unit = unit
    self.paperClaim = paperClaim
    self.standardDeviation = standardDeviation
    self.smallestPValue = smallestPValue
  }

  /// The claims with p values adjusted for their number (Holm 1979), and the undecided ones with how
  /// many samples would decide them.
  ///
  /// That number is of a t test at 0.05 divided by the number of claims tested: Holm's procedure asks
  /// for no less of the claim with the smallest p, and for less of the others.
  public static func adjusted(_ claims: [Claim]) -> [Claim] {
    let values = Holm.adjusted(claims.map(\.pValue))
    let tests = values.count { !$0.isNaN }
    return zip(claims, values).map { claim, value in
      var claim = claim
      claim.adjustedPValue = value
      claim.samplesToDecide =
        claim.verdict == .undecided
        ? claim.samplesToDecide(level: level / Double(max(tests, 1))) : nil
      return claim
    }
  }

  private func samplesToDecide(level: Double) -> Int? {
    guard let standardDeviation,
      let samples = Power.samplesToDecide(
        mean: difference, standardDeviation: standardDeviation, level: level)
    else { return nil }
    return max(samples, self.samples + 1, Self.fewestSamples(level: level))
  }

  /// The fewest differences with which a two-sided test by sign flips can give a p below `level`.
  static func fewestSamples(level: Double) -> Int { Int(log2(2 / level)) + 1 }

  /// Whether no differences so many could have been significant, even as the only test.
  var isTooSmall: Bool { (smallestPValue ?? 0) >= Self.level }
}
