import TensorCore
import Transformer

/// First-order estimates of every cell of a grid from one backward pass a prompt (attribution patching,
/// Nanda 2023: (a_clean − a_corrupted) · ∂/∂a at the corrupted run), and with derivatives averaged along the
/// way from the corrupted prompt's embeddings to the clean one's (integrated gradients, Sundararajan et al.
/// 2017, as Hanna et al. 2024 use them); each checked by true patches of cells drawn at random and of the
/// cells that it calls largest.
///
/// Of every cell as many prompts are drawn, so that its mean effect can be estimated from these, with the
/// estimates of all prompts as control variates.
struct Attribution: Experiment {
  typealias Row = AttributionRow
  static let kind = "attribution"
  static let version = 1

  let panels: GridPanels
  /// Share of the prompts in which a cell is patched.
  let share: Double
  /// Further cells of each prompt that are patched: those that each estimate calls largest.
  let top: Int
  /// Parts of the way from the corrupted to the clean embeddings.
  let steps: Int

  init(_ keys: ProbeKeys) throws {
    panels = try GridPanels(keys)
    share = try keys.number("share", 0...1, or: 0.125)
    top = try keys.integer("top", 0...10_000, or: 10)
    steps = try keys.integer("steps", 1...1000, or: 5)
  }

  func plan(_ probe: String, _ setting: Setting) throws -> Plan {
    let layers = try panels.layers.resolved(setting.architecture.layers, probe: probe)
    let panels = try panels.resolved(setting.subject)
    let cells = GridPanels.count(panels, setting) * layers.count
    let patches = Int(share * Double(cells)) + 2 * top
    let cost = (3 + 3 * (steps + 1)) * setting.wholeRun + patches * setting.wholeRun / 4
    let prompts: Int
    switch setting.subject {
    case .task: prompts = setting.episodes
    case .pairs(let pairs): prompts = min(setting.episodes, pairs.pairs.count)
    }
    return try GridPanels.units(Self.self, probe, setting, cost: cost) { laboratory, prompt, key in
      try rows(laboratory, prompt, panels, layers, key, of: prompts)
    }
  }

  /// How many of `prompts` prompts a cell is patched in.
  func sampleSize(of prompts: Int) -> Int {
    share == 0 ? 0 : min(prompts, max(2, Int((share * Double(prompts)).rounded())))
  }

  /// Whether a cell is patched in a prompt. The prompts are drawn for each cell by itself, and whoever
  /// computes a unit draws the same.
  private func isSampled(_ number: Int, _ key: UnitKey, of prompts: Int, seed: UInt64) -> Bool {
    let common = UnitKey(probe: key.probe, task: key.task, split: key.split, episode: 0)
    var random = common.stream(seed: seed, purpose: 0xA77B_0000 + UInt64(number))
    return random.sample(sampleSize(of: prompts), of: Array(0..<prompts)).contains(key.episode)
  }

  private func rows(
    _ laboratory: Laboratory, _ prompt: GridPrompt, _ panels: [GridPanels.Panel], _ layers: [Int],
    _ key: UnitKey, of prompts: Int
  ) throws -> [AttributionRow] {
    let places = prompt.places(panels, layers, laboratory.engine.model.architecture)
    let hooks = places.hooks
    let runs = try laboratory.gridRuns(prompt, hooks, recordsCorrupted: true)
    let first = try laboratory.estimates(places, runs, try laboratory.gradients(hooks, runs))
    let integrated = try laboratory.estimates(
      places, runs, try laboratory.meanGradients(hooks, runs, steps: steps))

    var reasons = places.indices.map {
      isSampled($0, key, of: prompts, seed: laboratory.seed) ? AttributionRow.Drawn.random : nil
    }
    for (reason, estimates) in [
      (AttributionRow.Drawn.top, first), (.topIntegrated, integrated),
    ] {
      let order = places.indices.filter { !places[$0].positions.isEmpty }
        .sorted { (abs(estimates[$0]), $1) > (abs(estimates[$1]), $0) }
      for index in order.prefix(top) where reasons[index] != .random {
        reasons[index] = reasons[index] == nil ? reason : .topOfBoth
      }
    }
    let chosen = places.indices.filter { reasons[$0] != nil }
    let patched = try laboratory.patched(chosen.map { places[$0] }, runs)
    let exact = Dictionary(zip(chosen, patched), uniquingKeysWith: { first, _ in first })
    return places.indices.map { index in
      AttributionRow(
        cell: places[index].cell, estimate: Double(first[index]),
        integrated: Double(integrated[index]), drawn: reasons[index],
        rank: rank(index, first), rankIntegrated: rank(index, integrated),
        exact: exact[index].map { Double($0) - Double(runs.corruptedDifference) },
        gap: Double(runs.cleanDifference) - Double(runs.corruptedDifference))
    }
  }

  /// Whether a cell is among the largest of the prompt.
  private func rank(_ index: Int, _ estimates: [Float]) -> Bool {
    let size = abs(estimates[index])
    return size > 0 && estimates.count { abs($0) > size } < top
  }
}

extension Laboratory {
  /// ∂(logit(right) − logit(wrong))/∂a at the corrupted run, for each hook point.
  fileprivate func gradients(_ hooks: [HookPoint], _ runs: GridRuns) throws -> [HookPoint: Tensor] {
    let contrast = runs.prompt.contrast
    let result = try engine.gradients(
      GradientRequest(
        tokens: runs.prompt.corrupted,
        objective: .logitDifference(right: contrast.right, wrong: contrast.wrong),
        base: runs.base, hooks: hooks))
    return Dictionary(zip(hooks, result.gradients), uniquingKeysWith: { first, _ in first })
  }

  /// Means of the derivatives at the middles of `steps` equal parts of the way from the corrupted
  /// prompt's embeddings to the clean one's.
  fileprivate func meanGradients(_ hooks: [HookPoint], _ runs: GridRuns, steps: Int) throws
    -> [HookPoint: Tensor]
  {
    let contrast = runs.prompt.contrast
    let before = HookPoint(.residualPre, layer: 0)
    let ends = try engine.forward(
      [runs.prompt.corrupted, runs.prompt.clean].map {
        ForwardRequest(tokens: $0, recordings: [Recording(before)], logits: .none)
      }
    ).map { $0.recorded[0] }
    var sums: [HookPoint: Tensor] = [:]
    let requests = (0..<steps).map { step in
      let share = (Float(step) + 0.5) / Float(steps)
      return GradientRequest(
        tokens: runs.prompt.corrupted,
        objective: .logitDifference(right: contrast.right, wrong: contrast.wrong),
        start: .init(layer: 0, rows: ends[0] + (ends[1] - ends[0]) * share), hooks: hooks)
    }
    for result in try engine.gradients(requests) {
      for (hook, gradient) in zip(hooks, result.gradients) {
        let part = gradient / Float(steps)
        sums[hook] = sums[hook].map { $0 + part } ?? part
      }
    }
    return sums
  }

  /// Σ (a_clean − a_corrupted) · gradient over each place's values.
  fileprivate func estimates(
    _ places: [GridPlace], _ runs: GridRuns, _ gradients: [HookPoint: Tensor]
  ) throws -> [Float] {
    let architecture = engine.model.architecture
    return places.map { place in
      let hook = place.cell.hook
      guard let clean = runs.clean[hook], let corrupted = runs.corrupted[hook],
        let gradient = gradients[hook]
      else { return 0 }
      let heads = hook.heads(in: architecture)
      // By position; of patterns the gradient is by head first.
      let isPattern = hook.width(in: architecture) == nil
      let width = isPattern ? clean.columns : clean.columns / heads
      let length = runs.prompt.clean.count
      var sum = 0.0
      clean.withPointer { clean in
        corrupted.withPointer { corrupted in
          gradient.withPointer { gradient in
            for position in place.positions {
              for head in place.cell.head.map({ $0..<$0 + 1 }) ?? 0..<heads {
                let start = (position * heads + head) * width
                let slope = isPattern ? (head * length + position) * width : start
                for index in 0..<width {
                  sum +=
                    (Double(clean[start + index]) - Double(corrupted[start + index]))
                    * Double(gradient[slope + index])
                }
              }
            }
          }
        }
      }
      return Float(sum)
    }
  }
}
