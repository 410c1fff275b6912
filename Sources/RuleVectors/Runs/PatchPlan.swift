import TensorCore
import Transformer

/// What one patch run does, as a list of units: a unit is one probe on one episode.
public struct PatchPlan: Sendable {
  /// One probe on one episode; its rows are computed together.
  public struct Unit: Sendable {
    public let probe: Probe
    public let task: RuleTask
    public let split: Split
    public let episode: Int
    /// Row-layers that the unit is expected to compute: for time left, not for results.
    public let cost: Int
    fileprivate let role: Role
  }

  /// What a unit of a probe does.
  fileprivate enum Role: Sendable {
    case layerSweep(LayerSweep)
    case globalVector(GlobalVector)
    /// Development episodes that choose the layer.
    case choice(LayerSweep)
    case aggregation(
      donor: Probe.Donor, subsets: Int, directions: [Probe.Direction], layer: PlannedLayer)
  }

  /// A layer, or the development rows that choose it.
  fileprivate enum PlannedLayer: Sendable {
    case fixed(Int)
    case chosen(probe: String, positions: Probe.PositionGroup)
  }

  public let units: [Unit]
  /// Probes that the task's family does not allow, with the reason.
  public let skipped: [(probe: String, reason: String)]

  /// - Parameters:
  ///   - controls: finds the knowledge tasks that probes name.
  ///   - tokens: tokens of a typical prompt.
  public init(
    task: RuleTask, probes: [Probe], episodes: Int, demonstrations: Int,
    architecture: Architecture, tokens: Int, controls: (String) throws -> RuleTask
  ) throws {
    var units: [Unit] = []
    var skipped: [(probe: String, reason: String)] = []
    let layerCount = architecture.layers
    // Probes that choose their layer alike share the development episodes of the first.
    var choices: [(sweep: LayerSweep, episodes: Int)] = []

    func resolved(_ layers: Probe.Layers, _ probe: Probe) throws -> [Int] {
      let list = layers.resolved(layers: layerCount)
      for layer in list where layer >= layerCount {
        throw UserError(
          "layer \(layer) is out of range", at: probe.place,
          remedy: "the model has layers 0 to \(layerCount - 1)")
      }
      return list
    }
    func add(
      _ probe: Probe, _ task: RuleTask, _ split: Split, _ count: Int, _ cost: Int, _ role: Role
    ) {
      for episode in 0..<count {
        units.append(
          Unit(
            probe: probe, task: task, split: split, episode: episode, cost: cost, role: role))
      }
    }
    func sweepCost(_ groups: [Probe.PositionGroup], _ layers: [Int]) -> Int {
      layers.reduce(2 * tokens * layerCount) { sum, layer in
        sum + (layerCount - 1 - layer) * groups.reduce(0) { $0 + ($1 == .last ? 1 : tokens) }
      }
    }

    for probe in probes {
      switch probe.experiment {
      case .layerSweep(let donor, let positions, let layers):
        guard donor == .clean || task.family == .categorization else {
          skipped.append((probe.name, "a \(task.family.rawValue) task has no classes to swap"))
          continue
        }
        let layers = try resolved(layers, probe)
        add(
          probe, task, .heldOut, episodes, sweepCost(positions, layers),
          .layerSweep(
            LayerSweep(probe: probe.name, donor: donor, groups: positions, layers: layers)))

      case .globalVector(let donors, let recipients, let layers, let names, let development):
        let layers = try resolved(layers, probe)
        let experiment = GlobalVector(
          probe: probe.name, donors: donors, recipients: recipients, layers: layers)
        let cost =
          (donors + 1 + recipients.count) * tokens * layerCount
          + recipients.count * layerCount * layerCount / 2
        for subject in [task] + (try names.filter { $0 != task.name }.map(controls)) {
          add(probe, subject, .development, development, cost, .globalVector(experiment))
          add(probe, subject, .heldOut, episodes, cost, .globalVector(experiment))
        }

      case .aggregation(let source, let choice, let subsets, let directions):
        guard source == .clean || task.family == .categorization else {
          skipped.append((probe.name, "a \(task.family.rawValue) task has no classes to swap"))
          continue
        }
        var typical = layerCount / 2
        let layer: PlannedLayer
        switch choice {
        case .fixed(let fixed):
          guard fixed < layerCount else {
            throw UserError(
              "layer \(fixed) is out of range", at: probe.place,
              remedy: "the model has layers 0 to \(layerCount - 1)")
          }
          typical = fixed
          layer = .fixed(fixed)
        case .development(let donor, let positions, let count):
          let sweep = LayerSweep(
            probe: probe.name, donor: task.family == .categorization ? donor : .clean,
            groups: [positions], layers: Array(0..<layerCount))
          if let known = choices.first(where: {
            $0.sweep.donor == sweep.donor && $0.sweep.groups == sweep.groups
              && $0.episodes == count
          }) {
            layer = .chosen(probe: known.sweep.probe, positions: positions)
          } else {
            choices.append((sweep, count))
            layer = .chosen(probe: probe.name, positions: positions)
            add(
              probe, task, .development, count, sweepCost([positions], sweep.layers),
              .choice(sweep))
          }
        }
        let variants = directions.count * (2 * demonstrations + subsets * (demonstrations - 3))
        add(
          probe, task, .heldOut, episodes,
          2 * tokens * layerCount + variants * tokens * (layerCount - typical) * 3 / 4,
          .aggregation(donor: source, subsets: subsets, directions: directions, layer: layer))
      }
    }
    self.units = units
    self.skipped = skipped
  }
}

extension PatchPlan.Unit {
  /// Whether `condition` is a row of this unit.
  func includes(_ condition: Effect.Condition) -> Bool {
    condition.probe == probe.name && condition.task == task.name && condition.split == split
      && condition.episode == episode
  }

  /// Number of rows of this unit.
  func rowCount(demonstrations: Int) -> Int {
    switch role {
    case .layerSweep(let sweep), .choice(let sweep):
      return 2 + sweep.groups.count * sweep.layers.count
    case .globalVector(let experiment):
      return experiment.recipients.count * (2 + experiment.layers.count)
    case .aggregation(_, let subsets, let directions, _):
      // The number of subsets does not depend on which are drawn.
      var random = RandomStream(seed: 0)
      return directions.count
        * Aggregation.subsets(of: demonstrations, each: subsets, random: &random).count
    }
  }

  /// Computes the unit's rows.
  ///
  /// - Parameter known: rows so far; development rows among them choose layers.
  func effects(_ laboratory: Laboratory, known: [Effect], verifying random: RandomStream?) throws
    -> [Effect]
  {
    switch role {
    case .layerSweep(let sweep), .choice(let sweep):
      return try sweep.effects(
        laboratory, task, episode: episode, split: split, verifying: random)
    case .globalVector(let experiment):
      return try experiment.effects(
        laboratory, task, episode: episode, split: split, verifying: random)
    case .aggregation(let donor, let subsets, let directions, let choice):
      let layer: Int
      switch choice {
      case .fixed(let fixed): layer = fixed
      case .chosen(let chooser, let positions):
        layer = try LayerSelection.layer(
          probe: chooser, task: task.name, positions: positions.rawValue, from: known)
      }
      return try Aggregation(
        probe: probe.name, donor: donor, layer: layer, subsets: subsets, directions: directions
      ).effects(laboratory, task, episode: episode, split: split, verifying: random)
    }
  }
}

/// The choice of a layer on development episodes.
public enum LayerSelection {
  /// The layer with the largest mean logit difference after patching, over development rows; the
  /// earliest of equals.
  ///
  /// All layers share their episodes, so the largest mean logit difference is also the largest
  /// recovery.
  public static func layer(
    probe: String, task: String, recipient: String? = nil, positions: String,
    from effects: [Effect]
  ) throws -> Int {
    var sums: [Int: (sum: Double, count: Int)] = [:]
    for effect in effects {
      let condition = effect.condition
      guard condition.probe == probe, condition.task == task, condition.split == .development,
        condition.positions == positions, recipient == nil || condition.recipient == recipient,
        let layer = condition.layer
      else { continue }
      sums[layer, default: (0, 0)].sum += Double(effect.measurement.logitDifference)
      sums[layer, default: (0, 0)].count += 1
    }
    let best = sums.keys.sorted().max { a, b in
      let (x, y) = (sums[a, default: (0, 1)], sums[b, default: (0, 1)])
      // `max` keeps the last of equals; the earlier layer is to win.
      return (x.sum / Double(x.count), b) < (y.sum / Double(y.count), a)
    }
    guard let best else {
      throw UserError(
        "no development episodes choose a layer for the probe \"\(probe)\"",
        remedy: "run the probe with its development episodes")
    }
    return best
  }
}
