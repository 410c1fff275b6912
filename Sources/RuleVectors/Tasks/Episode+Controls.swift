import TensorCore

/// Recipients and controls that need no further items. Each keeps the query, the demonstrations'
/// inputs and their slots unless its summary says otherwise.
extension Episode {
  /// The same prompt under the rule's `flipped`: every demonstration has another answer, and the query
  /// the one that was wrong. Of two classes each gets the other's label; of more, each gets that of the
  /// next class by name.
  ///
  /// - Throws: `UserError` for a mapping or bijection, which has no other rule: whatever its
  ///   demonstrations show, the query's right answer stays.
  public func flippedRule() throws -> Episode {
    var episode = self
    episode.variant = .flippedRule
    episode.rule = rule.flipped
    switch rule {
    case .mapping, .bijection:
      throw UserError(
        "a \(rule == .mapping ? "mapping" : "bijection") has no opposite rule", at: task,
        remedy: "use a categorization or a linear task")
    case .categorization:
      for i in episode.demonstrations.indices {
        episode.demonstrations[i].answer = rule.turned(demonstrations[i].answer)
      }
      (episode.right, episode.wrong) = (wrong, rule.turned(wrong))
    case .linear(_, let other):
      for i in episode.demonstrations.indices {
        guard let answer = other(demonstrations[i].input) else { continue }
        episode.demonstrations[i].answer = answer
      }
      (episode.right, episode.wrong) = (wrong, right)
    }
    return episode
  }

  /// The same inputs with the demonstrations' answers in random order (Todd et al. 2024): the words of
  /// the task without its rule. Some answers may stay where they were.
  public func shuffledLabels(draw: Int = 0) -> Episode {
    var episode = self
    episode.variant = .shuffledLabels
    var random = stream(.shuffledLabels, draw: draw)
    var answers = demonstrations.map(\.answer)
    random.shuffle(&answers)
    for (i, answer) in answers.enumerated() { episode.demonstrations[i].answer = answer }
    return episode
  }

  /// The query alone.
  public var zeroShot: Episode {
    var episode = self
    episode.variant = .zeroShot
    episode.demonstrations = []
    return episode
  }
}
