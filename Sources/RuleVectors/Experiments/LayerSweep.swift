import TensorCore
import Transformer

/// Position groups patched together, layer by layer, from a donor run into the same prompt under the
/// flipped rule.
struct LayerSweep {
  let probe: String
  let donor: Probe.Donor
  let groups: [Probe.PositionGroup]
  let layers: [Int]

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

    var conditions: [Effect.Condition] = []
    var requests: [ForwardRequest] = []
    for group in groups {
      for layer in layers {
        conditions.append(condition(task, index, split, group.rawValue, layer))
        let rows = donor.run.residualPost(layer: layer, positions: donor.positions(group))
        requests.append(
          laboratory.request(
            recipient.tokens, base: recipient.run,
            interventions: [Laboratory.patch(layer, recipient.positions(group), rows)],
            contrast: recipient.contrast, reference: donor.logProbabilities))
      }
    }
    var random = random
    let results = try laboratory.run(requests, verifying: &random)
    let unpatched = [
      Effect(
        condition: condition(task, index, split, "none", nil),
        measurement: recipient.measurement,
        donorLogitDifference: donor.measurement.logitDifference,
        recipientLogitDifference: recipient.measurement.logitDifference),
      Effect(
        condition: condition(task, index, split, "donor", nil), measurement: donor.measurement,
        donorLogitDifference: donor.measurement.logitDifference,
        recipientLogitDifference: recipient.measurement.logitDifference),
    ]
    return try unpatched
      + zip(conditions, results).map { condition, result in
        Effect(
          condition: condition,
          measurement: try laboratory.measure(result, recipient.contrast),
          donorLogitDifference: donor.measurement.logitDifference,
          recipientLogitDifference: recipient.measurement.logitDifference)
      }
  }

  private func condition(
    _ task: RuleTask, _ index: Int, _ split: Split, _ positions: String, _ layer: Int?
  ) -> Effect.Condition {
    Effect.Condition(
      probe: probe, task: task.name, split: split, episode: index, donor: donor.rawValue,
      recipient: Episode.Variant.flippedRule.rawValue, positions: positions, layer: layer)
  }
}
