import TensorCore
import Transformer

/// Carries out a plan, unit by unit, skipping those that are there.
public struct Runner {
  /// Where a run stands, for whoever watches.
  public struct Status: Sendable {
    /// Cost done and in all, in row-layers.
    public let done: Int
    public let total: Int
    public let label: String
    /// The unit that is now there.
    public let key: UnitKey
    /// Whether it was computed just now.
    public let isFresh: Bool
    public let verified: Verification
  }

  public let plan: RunPlan
  public let laboratory: Laboratory
  /// Name of the model in rows.
  public let model: String
  /// Number of variants to run again in full.
  public let verifications: Int

  public init(plan: RunPlan, laboratory: Laboratory, model: String, verifications: Int) {
    self.plan = plan
    self.laboratory = laboratory
    self.model = model
    self.verifications = verifications
  }

  /// Runs every unit that `known` does not hold.
  ///
  /// Each unit takes the same time however many came before it: it reads the rows of the units that it
  /// names and no others.
  ///
  /// - Parameters:
  ///   - known: rows of an earlier part of the same run, whole units.
  ///   - others: rows that other shares of the run have computed, taken where they are there.
  ///   - append: takes a unit's rows, before the next unit begins.
  ///   - watch: called after each unit; may throw to stop there.
  public func callAsFunction(
    known: [StoredRow], others: SharedRows? = nil, append: ([StoredRow]) throws -> Void,
    watch: (Status) throws -> Void
  ) throws {
    var others = others

    let wanted = Set(plan.units.flatMap(\.needs))
    let present = Set(known.map(\.key))
    var needed: [UnitKey: [StoredRow]] = [:]
    for row in known where wanted.contains(row.key) { needed[row.key, default: []].append(row) }
    let verified = verifiedUnits()
    let total = plan.cost
    var done = 0
    for unit in plan.units {
      var isFresh = false
      if !present.contains(unit.key) {
        let stored: [StoredRow]
        if let found = try others?.rows(of: unit.key) {
          stored = found
        } else {
          isFresh = true
          // A unit without variants leaves it to the next.
          if verified.contains(unit.key) {
            laboratory.verification = unit.key.stream(seed: laboratory.seed, purpose: 0x7E51F7)
          }
          let own = Dictionary(
            unit.needs.compactMap { key in needed[key].map { (key, $0) } },
            uniquingKeysWith: { first, _ in first })
          let rows = try unit.compute(laboratory, NeededRows(rows: own))
          stored = rows.map { StoredRow($0, of: unit, model: model, unitRows: rows.count) }
        }
        try append(stored)
        if wanted.contains(unit.key) { needed[unit.key] = stored }
      }
      done += unit.cost
      let split = unit.key.split == .development ? ", development" : ""
      try watch(
        Status(
          done: done, total: total,
          label: "\(unit.key.probe), \(unit.key.task)\(split), episode \(unit.key.episode + 1)",
          key: unit.key, isFresh: isFresh, verified: laboratory.verified))
    }
  }

  /// Units of which a variant is verified, spread evenly over the run; of a share, those that it was
  /// given.
  private func verifiedUnits() -> Set<UnitKey> {
    let count = min(verifications, plan.all.count)
    return Set((0..<count).map { plan.all[($0 * 2 + 1) * plan.all.count / (2 * count)] })
      .intersection(plan.own)
  }
}

extension [StoredRow] {
  /// The rows of whole units, and how many rows were of units cut short by a crash.
  public var wholeUnits: (rows: [StoredRow], cut: Int) {
    var counts: [UnitKey: Int] = [:]
    for row in self { counts[row.key, default: 0] += 1 }
    let whole = filter { counts[$0.key] == $0.unitRows }
    return (whole, count - whole.count)
  }
}
