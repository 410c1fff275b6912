import Reports
import TensorCore

/// Rows that other shares of a run have written, for those who need them.
public struct SharedRows {
  private var files: OtherRows
  private let wanted: Set<UnitKey>
  /// Units that only this share is to compute: others are looked for once.
  private let own: Set<UnitKey>
  /// By unit and by file, since two shares may have computed one unit.
  private var found: [UnitKey: [String: [StoredRow]]] = [:]
  private var isBegun = false

  public init(_ files: OtherRows, for plan: RunPlan) {
    self.files = files
    wanted = Set(plan.units.map(\.key))
    own = Set(plan.own)
  }

  /// The unit's rows where another share has all of them; what others wrote meanwhile is looked at.
  mutating func rows(of key: UnitKey) throws -> [StoredRow]? {
    if let rows = whole(key) { return rows }
    guard !isBegun || !own.contains(key) else { return nil }
    isBegun = true
    let wanted = wanted
    var found = found
    try files.forEachNewRow { file, reader in
      let row = try StoredRow(reader)
      if wanted.contains(row.key) { found[row.key, default: [:]][file, default: []].append(row) }
    }
    self.found = found
    return whole(key)
  }

  private mutating func whole(_ key: UnitKey) -> [StoredRow]? {
    guard let rows = found[key]?.values.first(where: { $0.count == $0[0].unitRows }) else {
      return nil
    }
    found[key] = nil
    return rows
  }
}
