import Reports
import TensorCore

/// The units of one run, or of a share of one, in their canonical order: what a unit needs comes before
/// it, and no unit comes twice.
public struct RunPlan: Sendable {
  public let units: [Unit]
  /// Units that the share was given, in order; the others are those that they need. All units of a run
  /// that is not shared.
  public let own: [UnitKey]
  /// All units of the run.
  let all: [UnitKey]
  /// Probes that have nothing to do on this subject, with the reason.
  public let skipped: [(probe: String, reason: String)]

  /// - Throws: `UserError` for a layer that the model does not have, or a control that is missing.
  public init(_ probes: [Probe], _ setting: Setting) throws {
    self.init(try probes.map { ($0.name, try $0.experiment.plan($0.name, setting)) })
  }

  /// Plans, each with the name of its probe.
  init(_ plans: [(probe: String, plan: Plan)]) {
    var units: [Unit] = []
    var skipped: [(probe: String, reason: String)] = []
    var seen: Set<UnitKey> = []
    for (probe, plan) in plans {
      switch plan {
      case .units(let own): units += own.filter { seen.insert($0.key).inserted }
      case .skipped(let reason): skipped.append((probe, reason))
      }
    }
    self.init(units: units, own: units.map(\.key), all: units.map(\.key), skipped: skipped)
  }

  private init(
    units: [Unit], own: [UnitKey], all: [UnitKey], skipped: [(probe: String, reason: String)]
  ) {
    self.units = units
    self.own = own
    self.all = all
    self.skipped = skipped
  }

  /// A share of the run: every so many-th unit, and what these need.
  ///
  /// What units need is computed by every share that needs it, unless another share has it already: no
  /// share waits. Rows do not depend on who computes a unit, so all come to the same.
  ///
  /// - Parameter isNeeded: units that each share needs besides, because they decide whether the run goes
  ///   on.
  public func share(_ shard: Shard, needing isNeeded: (Unit) -> Bool = { _ in false }) -> RunPlan {
    guard !shard.isWhole else { return self }
    let own = all.enumerated().filter { shard.owns($0.offset) }.map(\.element)
    var wanted = Set(own)
    if !own.isEmpty { wanted.formUnion(units.filter(isNeeded).map(\.key)) }
    // What a unit needs comes before it, so that one way back finds all.
    for unit in units.reversed() where wanted.contains(unit.key) { wanted.formUnion(unit.needs) }
    return RunPlan(
      units: units.filter { wanted.contains($0.key) }, own: own, all: all, skipped: skipped)
  }

  /// Units of the whole run.
  public var count: Int { all.count }

  public var cost: Int { units.reduce(0) { $0 + $1.cost } }

  /// Draws what every unit will draw.
  ///
  /// - Throws: `UserError` where a task has too few items, or answers that the model's tokenizer
  ///   cannot tell apart: before anything is computed.
  public func check(_ laboratory: Laboratory) throws {
    for unit in units { try unit.check(laboratory) }
  }
}
