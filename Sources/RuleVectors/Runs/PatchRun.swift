import TensorCore
import Transformer

/// Carries out a plan, unit by unit, skipping what is done.
public struct PatchRun {
  /// Where a run stands, for whoever watches.
  public struct Status: Sendable {
    /// Cost done and in all, in row-layers.
    public let done: Int
    public let total: Int
    public let label: String
    public let verifiedVariants: Int
    public let largestDeviation: Float
  }

  public let plan: PatchPlan
  public let laboratory: Laboratory
  /// Number of variants to run again in full.
  public let verifications: Int

  public init(plan: PatchPlan, laboratory: Laboratory, verifications: Int) {
    self.plan = plan
    self.laboratory = laboratory
    self.verifications = verifications
  }

  /// Runs every unit that `known` does not hold whole.
  ///
  /// - Parameters:
  ///   - known: rows of an earlier part of the same run.
  ///   - append: takes a unit's new rows, before the next unit begins.
  /// - Returns: all rows, the known ones first.
  @discardableResult
  public func callAsFunction(
    known: [Effect], append: ([Effect]) throws -> Void, watch: (Status) throws -> Void
  ) throws -> [Effect] {
    var effects = known
    var rowsOfUnit: [UnitKey: Int] = [:]
    for effect in known { rowsOfUnit[UnitKey(effect.condition), default: 0] += 1 }
    let total = plan.units.reduce(0) { $0 + $1.cost }
    let verified = verifiedUnits()
    var done = 0
    for (index, unit) in plan.units.enumerated() {
      let key = UnitKey(
        probe: unit.probe.name, task: unit.task.name, split: unit.split, episode: unit.episode)
      if rowsOfUnit[key, default: 0] < unit.rowCount(demonstrations: laboratory.demonstrations) {
        let random: RandomStream? =
          verified.contains(index)
          ? RandomStream(seed: laboratory.seed, path: [0x7E51F7, UInt64(index)]) : nil
        let present = Set(effects.lazy.map(\.condition).filter(unit.includes))
        let rows = try unit.effects(laboratory, known: effects, verifying: random)
          .filter { !present.contains($0.condition) }
        try append(rows)
        effects += rows
      }
      done += unit.cost
      let split = unit.split == .development ? ", development" : ""
      try watch(
        Status(
          done: done, total: total,
          label: "\(unit.probe.name), \(unit.task.name)\(split), episode \(unit.episode + 1)",
          verifiedVariants: laboratory.verified.variants,
          largestDeviation: laboratory.verified.largestDeviation))
    }
    return effects
  }

  /// Units of which a variant is verified, spread evenly over the run.
  private func verifiedUnits() -> Set<Int> {
    let count = min(verifications, plan.units.count)
    return Set((0..<count).map { ($0 * 2 + 1) * plan.units.count / (2 * count) })
  }

  private struct UnitKey: Hashable {
    let probe: String
    let task: String
    let split: Split
    let episode: Int

    init(probe: String, task: String, split: Split, episode: Int) {
      self.probe = probe
      self.task = task
      self.split = split
      self.episode = episode
    }

    init(_ condition: Effect.Condition) {
      self.init(
        probe: condition.probe, task: condition.task, split: condition.split,
        episode: condition.episode)
    }
  }
}
