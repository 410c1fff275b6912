import TensorCore

/// The units of one run in their canonical order: what a unit needs comes before it, and no unit
/// comes twice.
public struct RunPlan: Sendable {
  public let units: [Unit]
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
    self.units = units
    self.skipped = skipped
  }

  public var cost: Int { units.reduce(0) { $0 + $1.cost } }

  /// Draws what every unit will draw.
  ///
  /// - Throws: `UserError` where a task has too few items, or answers that the model's tokenizer
  ///   cannot tell apart: before anything is computed.
  public func check(_ laboratory: Laboratory) throws {
    for unit in units { try unit.check(laboratory) }
  }
}
