import TensorCore
import Transformer

/// Vectors of the same demonstrations taken behind other predecessors, put into the same prompt under
/// the flipped rule: does a demonstration's vector use what came before it? (Contextualise, then
/// aggregate: 2025; state vectors: 2024.)
///
/// Beside the donor's vectors those of the flipped rule's own demonstrations, taken behind the same kind of
/// predecessors, are put into the same places: half the difference is what the vectors tell of the rule, and what taking
/// them elsewhere does to any vector counts for nothing.
struct DemonstrationSequence: Experiment {
  typealias Row = SequenceRow
  static let kind = "sequence"
  static let version = 2

  let donor: Donor
  /// Beside the own ones.
  let others: [Predecessors]
  let layers: LayerList
  /// The layer that sentences speak of, and at which slots are patched one by one.
  let choice: LayerChoice

  init(_ keys: ProbeKeys) throws {
    donor = try keys.word("donor")
    others = try keys.words("predecessors", or: Predecessors.allCases).filter { $0 != .own }
    guard !others.isEmpty else {
      throw UserError(
        "found only \"own\", allowed is at least one other", at: "\(keys.place), predecessors",
        remedy: "add one of "
          + Predecessors.allCases.dropFirst().map(\.rawValue)
          .joined(separator: ", "))
    }
    layers = try keys.layers()
    choice = try LayerChoice(keys.required("layer"))
  }

  private var all: [Predecessors] { [.own] + others }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    let task: RuleTask
    switch setting.subject.task(patchedFrom: [donor]) {
    case .success(let found): task = found
    case .failure(let reason): return .skipped(reason.text)
    }
    guard setting.demonstrations > 1 else {
      return .skipped("one demonstration has nothing before it")
    }
    let listed = try layers.resolved(setting.architecture.layers, probe: probe)
    try choice.validate(setting.architecture.layers, probe: probe)
    let choosing = choice.units(task, setting)
    let split = setting.split
    // Predecessors are shared by the slots behind them.
    let sources = 2 * (1 + others.count) * setting.wholeRun
    let together = 2 * listed.reduce(0) { $0 + setting.above($1) } * all.count
    let single =
      2 * all.count * setting.demonstrations * setting.above(setting.architecture.layers / 2)
    return .units(
      choosing
        + (0..<setting.episodes).map { index in
          Unit(
            Self.self, UnitKey(probe: probe, task: task.name, split: split, episode: index),
            needs: choosing.map(\.key), cost: sources + together + single / 2,
            check: { laboratory in
              let episode = try laboratory.episode(task, index, split)
              try laboratory.check(donor, episode, task)
              let source = try laboratory.source(donor, of: episode, task)
              for predecessors in others {
                for side in [source, try episode.flippedRule()] {
                  _ = try predecessors.episodes(of: side, laboratory.sampler(task))
                }
              }
            },
            compute: { laboratory, needed in
              let chosen = try choice.layer(task, needed)
              return try rows(
                laboratory, task, index, split, layers: Set(listed + [chosen]).sorted(),
                chosen: chosen)
            })
        })
  }

  private func rows(
    _ laboratory: Laboratory, _ task: RuleTask, _ index: Int, _ split: Split, layers: [Int],
    chosen: Int
  ) throws -> [SequenceRow] {
    let episode = try laboratory.episode(task, index, split)
    let pair = try laboratory.pair(donor, episode, task)
    let sides = [
      try laboratory.source(donor, of: episode, task), try episode.flippedRule(),
    ]
    let targets = pair.recipient.prompt.answerPositions
    var rows: [SequenceRow] = []
    var requests: [ForwardRequest] = []
    for predecessors in all {
      let taken = try sides.map { try slotVectors(laboratory, task, predecessors, $0, layers) }
      let shifts = targets.indices.map { slot in
        taken.reduce(0) { $0 + Double(abs($1.positions[slot] - targets[slot])) }
          / Double(taken.count)
      }
      /// - Parameter vectors: the donor's and the flipped rule's.
      func add(
        _ slot: Int?, _ layer: Int, _ positions: [Int], _ vectors: [Tensor], _ shift: Double
      ) {
        rows.append(
          SequenceRow(
            donor: donor, predecessors: predecessors, slot: slot, layer: layer, shift: shift,
            outcome: pair.outcome(pair.recipient.measurement), flipped: 0))
        requests += vectors.map {
          laboratory.request(
            pair.recipient.tokens, base: pair.recipient.run,
            interventions: [Laboratory.patch(layer, positions, $0)],
            contrast: pair.recipient.contrast, reference: pair.donor.logProbabilities)
        }
      }
      for (place, layer) in layers.enumerated() {
        let vectors = taken.map { $0.vectors[place] }
        add(
          nil, layer, targets, vectors.map(stacked),
          shifts.reduce(0, +) / Double(max(shifts.count, 1)))
        guard layer == chosen else { continue }
        for slot in targets.indices {
          add(slot, layer, [targets[slot]], vectors.map { $0[slot] }, shifts[slot])
        }
      }
    }
    let results = try laboratory.run(requests)
    for number in rows.indices {
      let measured = try (0..<sides.count).map {
        try laboratory.measure(results[sides.count * number + $0], pair.recipient.contrast)
      }
      rows[number].outcome.patched = measured[0]
      rows[number].flipped = measured[1].logitDifference
    }
    return rows
  }

  /// The residual stream at the answer of every demonstration of `source`, by layer and slot
  /// `[1, width]`, and where in its prompt each was taken.
  func slotVectors(
    _ laboratory: Laboratory, _ task: RuleTask, _ predecessors: Predecessors, _ source: Episode,
    _ layers: [Int]
  ) throws -> (vectors: [[Tensor]], positions: [Int]) {
    var positions: [Int] = []
    var requests: [ForwardRequest] = []
    for episode in try predecessors.episodes(of: source, laboratory.sampler(task)) {
      let prompt = try laboratory.prompt(episode, task)
      let position = prompt.answerPositions[prompt.answerPositions.count - 1]
      positions.append(position)
      // Nothing behind the answer can change what is there.
      requests.append(
        ForwardRequest(
          tokens: Array(prompt.tokens[...position]),
          recordings: layers.map {
            Recording(HookPoint(.residualPost, layer: $0), positions: [position])
          }, logits: .none))
    }
    let results = try laboratory.engine.forward(requests)
    return (layers.indices.map { layer in results.map { $0.recorded[layer] } }, positions)
  }

  private func stacked(_ rows: [Tensor]) -> Tensor {
    Tensor(rows.flatMap(\.values), shape: [rows.count, rows.first?.shape.last ?? 0])
  }
}
