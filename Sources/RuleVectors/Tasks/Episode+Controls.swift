import TensorCore

/// Recipients and controls that need no further items. Each keeps the query, the demonstrations'
/// inputs and their slots unless its summary says otherwise.
extension Episode {
  /// The same prompt under the opposite rule.
  ///
  /// Categorization: every demonstration has the other label, and the query's right and wrong
  /// answer change places. Mapping: the answers change places among the demonstrations so that none
  /// keeps its own (a random cyclic permutation), while the query's answers stay, because no other
  /// mapping is right for it.
  ///
  /// - Throws: `UserError` for a mapping whose demonstrations have no such permutation, as one alone.
  public func flippedRule() throws -> Episode {
    var episode = self
    episode.variant = .flippedRule
    switch rule {
    case .categorization:
      for i in episode.demonstrations.indices {
        episode.demonstrations[i].answer = other(demonstrations[i].answer)
      }
      episode.rule = rule.flipped
      (episode.right, episode.wrong) = (wrong, right)
    case .mapping:
      let answers = try derangedAnswers()
      for i in answers.indices { episode.demonstrations[i].answer = answers[i] }
    }
    return episode
  }

  /// The same inputs with labels that carry no rule: within each class half of the demonstrations
  /// has either label, and where a class is odd the labels left over are still shared evenly. For a
  /// mapping these are the demonstrations of `flippedRule`.
  ///
  /// With fewer than two demonstrations of a class its label is random, not absent.
  public func randomLabels() throws -> Episode {
    guard case .categorization(let labels) = rule else {
      var episode = try flippedRule()
      episode.variant = .randomLabels
      return episode
    }
    var random = stream(.randomLabels)
    var episode = self
    episode.variant = .randomLabels
    var next = [right, wrong]
    random.shuffle(&next)
    for category in labels.keys.sorted() {
      var slots = demonstrations.indices.filter { demonstrations[$0].category == category }
      random.shuffle(&slots)
      for slot in slots {
        episode.demonstrations[slot].answer = next[0]
        next.swapAt(0, 1)
      }
    }
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

  /// The demonstrations' answers so permuted that no demonstration shows its own.
  private func derangedAnswers() throws -> [String] {
    let answers = demonstrations.map(\.answer)
    guard !answers.isEmpty else { return [] }
    var random = stream(.flippedRule)
    // Different inputs may share an answer; a few draws then find a permutation if there are many.
    for _ in 0..<100 where answers.count > 1 {
      var order = Array(answers.indices)
      for i in stride(from: order.count - 1, to: 0, by: -1) {
        order.swapAt(i, random.integer(below: i))  // Sattolo's algorithm: one cycle
      }
      let permuted = order.map { answers[$0] }
      if zip(permuted, answers).allSatisfy({ $0 != $1 }) { return permuted }
    }
    throw UserError(
      "the answers of \(answers.count) demonstrations cannot change places", at: task,
      remedy: "use more demonstrations, or more different answers")
  }
}
