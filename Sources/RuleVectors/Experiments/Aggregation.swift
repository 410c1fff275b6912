import TensorCore
import Transformer

/// At one layer, which demonstrations' answer positions it takes: each alone, all but one, and random
/// choices of every number, in both directions.
struct Aggregation {
  let probe: String
  let donor: Probe.Donor
  let layer: Int
  /// Random subsets of each size other than 0, 1, n − 1 and n, which are all taken.
  let subsets: Int
  let directions: [Probe.Direction]

  /// All effects on one episode.
  func effects(
    _ laboratory: Laboratory, _ task: RuleTask, episode index: Int, split: Split,
    verifying random: RandomStream? = nil
  ) throws -> [Effect] {
    let episode = try laboratory.episode(task, index, split)
    let recorded = try laboratory.record(
      [try laboratory.source(donor, of: episode, task), try episode.flippedRule()], task,
      question: episode)
    let (donor, recipient) = (recorded[0], recorded[1])
    let count = donor.prompt.answerPositions.count
    var draw = RandomStream(
      seed: laboratory.seed,
      path: [0x5B5E7, UInt64(index), split == .development ? 1 : 0])
    let chosen = Self.subsets(of: count, each: subsets, random: &draw)

    var conditions: [Effect.Condition] = []
    var requests: [ForwardRequest] = []
    for direction in directions {
      let (from, into) =
        direction == .donorIntoRecipient ? (donor, recipient) : (recipient, donor)
      for subset in chosen {
        conditions.append(
          Effect.Condition(
            probe: probe, task: task.name, split: split, episode: index,
            donor: self.donor.rawValue,
            recipient: Episode.Variant.flippedRule.rawValue, direction: direction,
            positions: "subset", layer: layer, subset: subset))
        let rows = from.run.residualPost(
          layer: layer, positions: subset.map { from.prompt.answerPositions[$0] })
        requests.append(
          laboratory.request(
            into.tokens, base: into.run,
            interventions: subset.isEmpty
              ? []
              : [
                Laboratory.patch(layer, subset.map { into.prompt.answerPositions[$0] }, rows)
              ],
            contrast: into.contrast, reference: donor.logProbabilities))
      }
    }
    var random = random
    let results = try laboratory.run(requests, verifying: &random)
    return try zip(conditions, results).map { condition, result in
      Effect(
        condition: condition,
        measurement: try laboratory.measure(result, donor.contrast),
        donorLogitDifference: donor.measurement.logitDifference,
        recipientLogitDifference: recipient.measurement.logitDifference)
    }
  }

  /// No element, each alone, `each` random ones of every size between, all but each, all; every
  /// subset once, the smallest first.
  static func subsets(of count: Int, each: Int, random: inout RandomStream) -> [[Int]] {
    let all = Array(0..<count)
    var result: [[Int]] = [[]]
    for size in 1..<max(count, 1) {
      if size == 1 {
        result += all.map { [$0] }
      } else if size == count - 1 {
        result += all.map { left in all.filter { $0 != left } }
      } else {
        var drawn: [[Int]] = []
        // A size has at least as many subsets as elements, so a repeat is rare; a few tries do.
        for _ in 0..<each * 8 where drawn.count < each {
          let subset = random.sample(size, of: all).sorted()
          if !drawn.contains(subset) { drawn.append(subset) }
        }
        result += drawn
      }
    }
    if count > 0 { result.append(all) }
    return result
  }
}
