import TensorCore
import Transformer

/// Whether the last-position vector behind n demonstrations is a linear combination of those behind
/// single ones: coefficients are fitted on development episodes, and what they explain of others, and
/// what the vector so put together does in a prompt without demonstrations, is measured.
struct Reconstruction: Experiment {
  typealias Row = ReconstructionRow
  static let kind = "reconstruction"
  static let version = 1

  let layers: LayerList
  /// Development episodes that the coefficients are fitted on, and that choose the layer.
  let development: Int
  /// Coordinates that neither the fit nor the explained share counts.
  let leftOut: Int

  init(_ keys: ProbeKeys) throws {
    layers = try keys.layers()
    development = try keys.integer("development", 2...1000, or: 8)
    leftOut = try keys.integer("coordinates_left_out", 0...10_000, or: 8)
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    guard let task = setting.subject.task else {
      return .skipped("pairs of prompts have no demonstrations; use a grid")
    }
    guard setting.demonstrations > 1 else {
      return .skipped("one demonstration has nothing to be put together from")
    }
    guard leftOut < setting.architecture.width else {
      throw UserError(
        "found \(leftOut) coordinates to leave out, allowed are fewer than the model's "
          + "\(setting.architecture.width)", at: "probe \(probe), coordinates_left_out",
        remedy: "leave out fewer")
    }
    let layers = try layers.resolved(setting.architecture.layers, probe: probe)
    let fitting = (0..<development).map {
      UnitKey(probe: probe, task: task.name, split: .development, episode: $0)
    }
    let reported = (0..<setting.episodes).map {
      UnitKey(probe: probe, task: task.name, split: setting.split, episode: $0)
    }
    let rules = task.hasOtherRules ? 2 : 1
    // All single demonstrations together are about as long as the prompt, and each has the query.
    let cost = 3 * rules * setting.wholeRun
    return .units(
      (fitting + reported).map { key in
        Unit(
          Self.self, key, needs: key.split == .development ? [] : fitting, cost: cost,
          check: { laboratory in
            let episode = try laboratory.episode(task, key.episode, key.split)
            for drawn in try Self.rules(of: episode, task) + [episode.zeroShot] {
              _ = try laboratory.prompt(drawn, task).contrast(
                right: episode.right, wrong: episode.wrong)
            }
          },
          compute: { laboratory, _ in
            try rows(laboratory, task, key, layers, fitting: fitting)
          })
      })
  }

  private static func rules(of episode: Episode, _ task: RuleTask) throws -> [Episode] {
    task.hasOtherRules ? [episode, try episode.flippedRule()] : [episode]
  }

  private func rows(
    _ laboratory: Laboratory, _ task: RuleTask, _ key: UnitKey, _ layers: [Int],
    fitting: [UnitKey]
  ) throws -> [ReconstructionRow] {
    guard let store = laboratory.store else {
      throw UserError(
        "a reconstruction keeps activations, and there is no folder for them",
        remedy: "run it with icl-probe patch")
    }
    let episode = try laboratory.episode(task, key.episode, key.split)
    let rules = try Self.rules(of: episode, task)
    let recorded = try laboratory.record(rules + [episode.zeroShot], task, question: episode)
    let (sources, target) = (Array(recorded.dropLast()), recorded[recorded.count - 1])
    let vectors = try shotVectors(
      laboratory, task, rules, question: episode, layers, whole: sources, zeroShot: target)

    var cells: [(row: ReconstructionRow, vector: [Double])] = []
    func add(
      _ parts: ReconstructionParts?, _ rule: Int, _ layer: Int, _ fit: ReconstructionRow.Fit?,
      _ vector: [Double]
    ) {
      let row = ReconstructionRow(
        parts: parts, isFlipped: rule == 1, layer: layer, fit: fit,
        outcome: Outcome(
          patched: target.measurement, donor: sources[rule].measurement.logitDifference,
          recipient: target.measurement.logitDifference))
      cells.append((row, vector))
    }
    for (layer, own) in zip(layers, vectors) {
      for rule in rules.indices { add(nil, rule, layer, nil, own.whole[rule]) }
    }
    if key.split == .development {
      try store.write(
        zip(layers, vectors).flatMap { $1.tensors($0) }, for: key.description)
    } else {
      for (layer, own) in zip(layers, vectors) {
        let known = try fitting.map {
          try ShotVectors(
            store, $0, layer: layer, rules: rules.count, slots: episode.demonstrations.count,
            width: own.zeroShot.count)
        }
        for (parts, combination, leftOut) in combinations(known) {
          for rule in rules.indices {
            guard let values = parts.parts(of: own, rule: rule) else { continue }
            let vector = combination(values)
            add(
              parts, rule, layer,
              Self.fit(combination, vector, own.whole[rule], leavingOut: leftOut), vector)
          }
        }
      }
    }
    let results = try laboratory.run(
      cells.map { row, vector in
        laboratory.request(
          target.tokens, base: target.run,
          interventions: [
            Laboratory.patch(
              row.layer, target.positions(.last),
              Tensor(vector.map(Float.init), shape: [1, vector.count]))
          ], contrast: target.contrast,
          reference: sources[row.isFlipped ? 1 : 0].logProbabilities)
      })
    return try zip(cells, results).map { cell, result in
      var row = cell.row
      row.outcome.patched = try laboratory.measure(result, target.contrast)
      return row
    }
  }

  /// Combinations fitted on development episodes under both rules, and the coordinates that do not
  /// count: those of the largest variance.
  func combinations(_ known: [ShotVectors])
    -> [(parts: ReconstructionParts, combination: LinearCombination, leftOut: Set<Int>)]
  {
    let targets = known.flatMap(\.whole)
    let mean = LinearCombination.mean(targets)
    let leftOut = Set(
      VectorCosines.largestCoordinates(
        leftOut, of: targets.map { target in target.indices.map { target[$0] - mean[$0] } }))
    return ReconstructionParts.allCases.compactMap { parts in
      let values = known.flatMap { vectors in
        vectors.whole.indices.compactMap { parts.parts(of: vectors, rule: $0) }
      }
      return LinearCombination(parts: values, targets: targets, leavingOut: leftOut).map {
        (parts, $0, leftOut)
      }
    }
  }

  static func fit(
    _ combination: LinearCombination, _ vector: [Double], _ target: [Double],
    leavingOut leftOut: Set<Int>
  ) -> ReconstructionRow.Fit {
    func distance(_ a: [Double], _ isCounted: (Int) -> Bool) -> Double {
      target.indices.reduce(0) {
        isCounted($1) ? $0 + (target[$1] - a[$1]) * (target[$1] - a[$1]) : $0
      }
    }
    return ReconstructionRow.Fit(
      total: distance(combination.targetMean) { !leftOut.contains($0) },
      residual: distance(vector) { !leftOut.contains($0) },
      totalWhole: distance(combination.targetMean) { _ in true },
      residualWhole: distance(vector) { _ in true }, coefficients: combination.coefficients)
  }

  /// By layer: the vectors at the position whose logits are read.
  private func shotVectors(
    _ laboratory: Laboratory, _ task: RuleTask, _ rules: [Episode], question: Episode,
    _ layers: [Int], whole: [RecordedPrompt], zeroShot: RecordedPrompt
  ) throws -> [ShotVectors] {
    let requests = try rules.flatMap { rule in
      try rule.demonstrations.map { demonstration in
        var single = rule
        single.demonstrations = [demonstration]
        let prompt = try laboratory.prompt(single, task)
        let tokens =
          prompt.tokens
          + (try prompt.contrast(right: question.right, wrong: question.wrong)).prefix
        return ForwardRequest(
          tokens: tokens,
          recordings: layers.map {
            Recording(HookPoint(.residualPost, layer: $0), positions: [tokens.count - 1])
          }, logits: .none)
      }
    }
    let results = try laboratory.engine.forward(requests)
    let slots = question.demonstrations.count
    func last(_ prompt: RecordedPrompt, _ layer: Int) -> [Double] {
      prompt.run.residualPost(layer: layer, positions: prompt.positions(.last)).rowValues[0]
    }
    return layers.enumerated().map { index, layer in
      ShotVectors(
        whole: whole.map { last($0, layer) },
        oneShots: rules.indices.map { rule in
          results[rule * slots..<(rule + 1) * slots].map { $0.recorded[index].rowValues[0] }
        }, zeroShot: last(zeroShot, layer))
    }
  }
}
