import Reports

/// What a sentence about rule vectors is about.
public enum ClaimTopic: String, Sendable, CaseIterable {
  /// Where the rule is, layer by layer.
  case local
  /// Whether one vector brings it.
  case global
  /// How its parts make up the whole.
  case distribution
}

extension Claim {
  /// A sentence tested by differences in logits, one an episode.
  init(
    _ topic: ClaimTopic, name: String, sentence: String, evidence: String, differences: [Double],
    paperClaim: Int? = nil, seed: UInt64
  ) {
    self.init(
      topic.rawValue, name: name, sentence: sentence, evidence: evidence,
      differences: differences, unit: "logits", paperClaim: paperClaim, seed: seed)
  }
}
