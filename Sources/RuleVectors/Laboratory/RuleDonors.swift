import TensorCore
import Transformer

/// Episodes that activations of one rule are averaged over, and of its flipped rule where there is one.
struct RuleDonors {
  /// The episode, and the same under the flipped rule where the task has one.
  let sources: [Episode]
  /// By source: donors with other items, every second of which asks for the other class.
  var donors: [[Episode]]
}

extension Laboratory {
  /// - Parameter count: donors of each rule.
  func ruleDonors(of episode: Episode, _ task: RuleTask, count: Int) throws -> RuleDonors {
    let others = try sampler(task).vectorDonors(of: episode, count)
    guard task.hasOtherRules else {
      return RuleDonors(sources: [episode], donors: [others])
    }
    return RuleDonors(
      sources: [episode, try episode.flippedRule()],
      donors: [others, try others.map { try $0.flippedRule() }])
  }

  /// For each group of episodes and each hook point the mean at the last position, `[1, site width]`.
  func meansAtLast(_ groups: [[Episode]], _ task: RuleTask, _ hooks: [HookPoint]) throws
    -> [[Tensor]]
  {
    // All at once: groups may share their demonstrations, and so their rows.
    let requests = try groups.flatMap { $0 }.map { episode in
      let prompt = try prompt(episode, task)
      return ForwardRequest(
        tokens: prompt.tokens,
        recordings: hooks.map { Recording($0, positions: [prompt.lastPosition]) }, logits: .none)
    }
    let results = try engine.forward(requests)
    var first = 0
    return groups.map { group in
      defer { first += group.count }
      let own = results[first..<first + group.count]
      return hooks.indices.map { index in
        var mean = Tensor(zeros: own.first?.recorded[index].shape ?? [1, 0])
        let width = mean.count
        for result in own {
          result.recorded[index].withPointer { row in
            mean.withMutablePointer { mean in
              for column in 0..<width { mean[column] += row[column] / Float(group.count) }
            }
          }
        }
        return mean
      }
    }
  }
}

extension EpisodeSampler {
  /// Donor episodes of a global vector: other items and another query under the same rule, every
  /// second one asking for the other class, so that no label is the answer more often.
  func vectorDonors(of episode: Episode, _ count: Int) throws -> [Episode] {
    try (0..<count).map { draw in
      try otherItems(than: episode, draw: draw, queryOfOtherClass: draw % 2 == 1)
    }
  }
}
