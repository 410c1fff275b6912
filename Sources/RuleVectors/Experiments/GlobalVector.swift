import TensorCore
import Transformer

/// The mean last-position residual over other episodes of the same rule, put at the last position of
/// prompts that do not have the rule (the task vector of Hendel et al. 2023; the global task vector
/// of the label-words paper).
struct GlobalVector {
  let probe: String
  let donors: Int
  let recipients: [Probe.Recipient]
  let layers: [Int]

  /// All effects on one episode.
  func effects(
    _ laboratory: Laboratory, _ task: RuleTask, episode index: Int, split: Split,
    verifying random: RandomStream? = nil
  ) throws -> [Effect] {
    let sampler = laboratory.sampler(task)
    let episode = try laboratory.episode(task, index, split)
    let vectors = try meanVectors(laboratory, task, episode)
    let targets = try recipients.map { recipient in
      switch recipient {
      case .zeroShot: episode.zeroShot
      case .dummyDemonstrations: try sampler.dummyDemonstrations(of: episode)
      }
    }
    let recorded = try laboratory.record([episode] + targets, task, question: episode)
    let donor = recorded[0]

    var conditions: [Effect.Condition] = []
    var requests: [ForwardRequest] = []
    var effects: [Effect] = []
    for (recipient, target) in zip(recipients, recorded.dropFirst()) {
      func condition(_ positions: String, _ layer: Int?) -> Effect.Condition {
        Effect.Condition(
          probe: probe, task: task.name, split: split, episode: index, donor: "global",
          recipient: recipient.rawValue, positions: positions, layer: layer)
      }
      for (positions, measurement) in [("none", target.measurement), ("donor", donor.measurement)] {
        effects.append(
          Effect(
            condition: condition(positions, nil), measurement: measurement,
            donorLogitDifference: donor.measurement.logitDifference,
            recipientLogitDifference: target.measurement.logitDifference))
      }
      for (layer, vector) in zip(layers, vectors) {
        conditions.append(condition(Probe.PositionGroup.last.rawValue, layer))
        requests.append(
          laboratory.request(
            target.tokens, base: target.run,
            interventions: [Laboratory.patch(layer, target.positions(.last), vector)],
            contrast: target.contrast, reference: donor.logProbabilities))
      }
    }
    var random = random
    let results = try laboratory.run(requests, verifying: &random)
    for (number, result) in results.enumerated() {
      let target = recorded[1 + number / layers.count]
      effects.append(
        Effect(
          condition: conditions[number],
          measurement: try laboratory.measure(result, target.contrast),
          donorLogitDifference: donor.measurement.logitDifference,
          recipientLogitDifference: target.measurement.logitDifference))
    }
    return effects
  }

  /// For each layer the mean residual at the last position over the donor episodes, `[1, width]`.
  ///
  /// Half of the donors ask for an item of the other class, so that the mean holds the rule and not
  /// one answer.
  private func meanVectors(_ laboratory: Laboratory, _ task: RuleTask, _ episode: Episode) throws
    -> [Tensor]
  {
    let sampler = laboratory.sampler(task)
    let requests = try (0..<donors).map { draw in
      let other = try sampler.otherItems(
        than: episode, draw: draw, queryOfOtherClass: draw % 2 == 1)
      let prompt = try laboratory.prompt(other, task)
      return ForwardRequest(
        tokens: prompt.tokens,
        recordings: layers.map {
          Recording(HookPoint(.residualPost, layer: $0), positions: [prompt.lastPosition])
        }, logits: .none)
    }
    let results = try laboratory.engine.forward(requests)
    let width = laboratory.engine.model.architecture.width
    return layers.indices.map { layer in
      var mean = Tensor(zeros: [1, width])
      for result in results {
        result.recorded[layer].withPointer { row in
          mean.withMutablePointer { mean in
            for column in 0..<width { mean[column] += row[column] / Float(donors) }
          }
        }
      }
      return mean
    }
  }
}
