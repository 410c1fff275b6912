import TensorCore

/// Recipients and controls that need no further items. Each keeps the query, the demonstrations'
/// inputs and their slots unless its summary says otherwise.
extension Episode {
  /// The same prompt under the opposite rule: every demonstration has the other label, and the
  /// query's right and wrong answer change places.
  ///
  /// - Throws: `UserError` for a mapping, which has no other rule: whatever its demonstrations show,
  ///   the query's right answer stays.
  public func flippedRule() throws -> Episode {
    guard case .categorization = rule else {
      throw UserError(
        "a mapping has no opposite rule", at: task, remedy: "use a categorization task")
    }
    var episode = self
    episode.variant = .flippedRule
    for i in episode.demonstrations.indices {
      episode.demonstrations[i].answer = other(demonstrations[i].answer)
    }
    episode.rule = rule.flipped
    (episode.right, episode.wrong) = (wrong, right)
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

  /// The other of the two labels.
  func other(_ label: String) -> String { label == right ? wrong : right }
}
