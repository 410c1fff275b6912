import TensorCore
import Transformer

extension EpisodeSampler {
  /// Donor episodes of a global vector: other items and another query under the same rule, every
  /// second one asking for the other class, so that no label is the answer more often.
  func vectorDonors(of episode: Episode, _ count: Int) throws -> [Episode] {
    try (0..<count).map { draw in
      try otherItems(than: episode, draw: draw, queryOfOtherClass: draw % 2 == 1)
    }
  }
}

extension Laboratory {
  /// For each group of episodes and each layer the mean residual at the last position, `[1, width]`:
  /// the global vector (Hendel et al. 2023).
  func meanVectors(_ groups: [[Episode]], _ task: RuleTask, _ layers: [Int]) throws -> [[Tensor]] {
    // All at once: groups share demonstrations, and so their rows.
    let requests = try groups.flatMap { $0 }.map { donor in
      let prompt = try prompt(donor, task)
      return ForwardRequest(
        tokens: prompt.tokens,
        recordings: layers.map {
          Recording(HookPoint(.residualPost, layer: $0), positions: [prompt.lastPosition])
        }, logits: .none)
    }
    let results = try engine.forward(requests)
    let width = engine.model.architecture.width
    var first = 0
    return groups.map { group in
      defer { first += group.count }
      let own = results[first..<first + group.count]
      return layers.indices.map { layer in
        var mean = Tensor(zeros: [1, width])
        for result in own {
          result.recorded[layer].withPointer { row in
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
