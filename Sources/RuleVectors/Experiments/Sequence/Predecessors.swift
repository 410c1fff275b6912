import TensorCore

/// What stands before a demonstration when its vector is taken. The demonstration itself, item and
/// label, is the same in all of them.
enum Predecessors: String, Sendable, CaseIterable {
  /// The demonstrations that stand before it in its own prompt.
  case own
  /// Demonstrations of the same rule with other items, slot by slot with the same labels.
  case otherItems = "other-items"
  /// The same items under the flipped rule.
  case flippedRule = "flipped-rule"
  /// As many demonstrations that carry no rule: dummy words with either label equally often.
  case dummies
  /// Nothing: the demonstration begins the prompt.
  case none

  /// For sentences: "behind …".
  var words: String {
    switch self {
    case .own: "behind its own predecessors"
    case .otherItems: "behind other items under the same rule"
    case .flippedRule: "behind the same items under the flipped rule"
    case .dummies: "behind dummy demonstrations"
    case .none: "with nothing before it"
    }
  }

  /// The episodes in which the vectors of `source`'s demonstrations are taken, one a slot: each ends
  /// with the demonstration of that slot.
  func episodes(of source: Episode, _ sampler: EpisodeSampler) throws -> [Episode] {
    let before: [Demonstration] =
      switch self {
      case .own: source.demonstrations
      case .otherItems: try sampler.otherItems(than: source).demonstrations
      case .flippedRule: try source.flippedRule().demonstrations
      case .dummies: try sampler.dummyDemonstrations(of: source).demonstrations
      case .none: []
      }
    return source.demonstrations.enumerated().map { slot, own in
      var episode = source
      episode.demonstrations = before.prefix(slot) + [own]
      return episode
    }
  }
}
