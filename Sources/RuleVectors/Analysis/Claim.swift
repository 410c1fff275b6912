import TensorCore

/// A sentence that a test speaks to.
public struct Claim: Sendable {
  public enum Verdict: String, Sendable {
    case supported, contradicted, undecided
  }

  /// What a sentence is about.
  public enum Topic: String, Sendable, CaseIterable {
    /// Where the rule is, layer by layer.
    case local
    /// Whether one vector brings it.
    case global
    /// How its parts make up the whole.
    case distribution
  }

  public let topic: Topic
  /// Short name, for scripts.
  public let name: String
  /// The sentence as it would hold.
  public let sentence: String
  /// What was compared, with numbers.
  public let evidence: String
  /// Mean of the tested differences, in logits; positive speaks for the sentence.
  public let difference: Double
  public let pValue: Double
  /// Adjusted for the number of claims (Holm); set by `Claim.adjusted`.
  public private(set) var adjustedPValue: Double
  public let episodes: Int

  /// Largest adjusted p with which a verdict is given.
  public static let level = 0.05

  public var verdict: Verdict {
    guard adjustedPValue < Self.level else { return .undecided }
    return difference > 0 ? .supported : .contradicted
  }

  /// Tests by a two-sided paired permutation test whether the mean difference is zero.
  init(
    _ topic: Topic, name: String, sentence: String, evidence: String, differences: [Double],
    seed: UInt64
  ) {
    let result = PermutationTest.paired(differences, seed: seed)
    self.init(
      topic, name: name, sentence: sentence, evidence: evidence, difference: result.meanDifference,
      pValue: result.pValue, episodes: differences.count)
  }

  init(
    _ topic: Topic, name: String, sentence: String, evidence: String, difference: Double,
    pValue: Double, episodes: Int
  ) {
    self.topic = topic
    self.name = name
    self.sentence = sentence
    self.evidence = evidence
    self.difference = difference
    self.pValue = pValue
    adjustedPValue = pValue
    self.episodes = episodes
  }

  /// The claims with p values adjusted for their number (Holm 1979).
  static func adjusted(_ claims: [Claim]) -> [Claim] {
    let values = Holm.adjusted(claims.map(\.pValue))
    return zip(claims, values).map { claim, value in
      var claim = claim
      claim.adjustedPValue = value
      return claim
    }
  }
}
