import TensorCore

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

  /// Largest adjusted p with which a verdict is given.
  public static let level = 0.05

  public var verdict: Verdict {
    guard adjustedPValue < Self.level else { return .undecided }
    return difference > 0 ? .supported : .contradicted
  }

  /// Tests by a two-sided paired permutation test whether the mean difference is zero.
  public init(
    _ topic: String, name: String, sentence: String, evidence: String, differences: [Double],
    seed: UInt64
  ) {
    let result = PermutationTest.paired(differences, seed: seed)
    self.init(
      topic, name: name, sentence: sentence, evidence: evidence, difference: result.meanDifference,
      pValue: result.pValue, samples: differences.count)
  }

  public init(
    _ topic: String, name: String, sentence: String, evidence: String, difference: Double,
    pValue: Double, samples: Int
  ) {
    self.topic = topic
    self.name = name
    self.sentence = sentence
    self.evidence = evidence
    self.difference = difference
    self.pValue = pValue
    adjustedPValue = pValue
    self.samples = samples
  }

  /// The claims with p values adjusted for their number (Holm 1979).
  public static func adjusted(_ claims: [Claim]) -> [Claim] {
    let values = Holm.adjusted(claims.map(\.pValue))
    return zip(claims, values).map { claim, value in
      var claim = claim
      claim.adjustedPValue = value
      return claim
    }
  }
}

extension Claim {
  /// For a terminal: the verdict as `mark` words it, the sentence, the evidence and p.
  public func text(mark: (Verdict) -> String) -> String {
    "\(mark(verdict)): \(sentence)\n  \(evidence) \(formattedPValue(adjustedPValue)) (Holm)\n"
  }

  /// For a page.
  ///
  /// - Parameters:
  ///   - samples: the word for what the test is over, such as "episodes".
  ///   - tests: how many tests p was adjusted for.
  public func callout(samples word: String, tests: Int) -> Callout {
    Callout(
      verdict: verdict, sentence: sentence,
      evidence: evidence + " Over \(samples) \(word) \(formattedPValue(pValue)), adjusted for "
        + "\(tests) tests \(formattedPValue(adjustedPValue)).")
  }

  /// For scripts.
  ///
  /// - Parameter word: the key under which the number of samples is told, such as "episodes".
  public func json(samples word: String) -> JSONValue {
    .object([
      ("name", .string(name)), ("topic", .string(topic)), ("sentence", .string(sentence)),
      ("verdict", .string(verdict.rawValue)), ("evidence", .string(evidence)),
      ("difference", .number(difference)), ("p", .number(pValue)),
      ("p_adjusted", .number(adjustedPValue)), (word, .integer(samples)),
    ])
  }

  /// A line that counts the verdicts of `claims`.
  public static func count(_ claims: [Claim]) -> String {
    func number(_ verdict: Verdict) -> Int { claims.count { $0.verdict == verdict } }
    return
      "Of \(claims.count) sentences \(number(.supported)) are supported, "
      + "\(number(.contradicted)) contradicted, \(number(.undecided)) undecided, at 5 % after "
      + "Holm's correction."
  }

  /// The claims as a table of sentences, verdicts and p values.
  public static func table(_ claims: [Claim], caption: String? = nil) -> HTMLTable {
    HTMLTable(
      headers: ["sentence", "verdict", "p, adjusted"],
      rows: claims.map {
        [
          $0.sentence, $0.verdict.rawValue,
          $0.adjustedPValue.isNaN ? "–" : formattedPValue($0.adjustedPValue),
        ]
      }, caption: caption)
  }
}
