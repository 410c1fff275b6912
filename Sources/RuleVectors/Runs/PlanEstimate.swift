import TensorCore

/// What a plan will take, probe by probe.
public struct PlanEstimate: Sendable {
  public struct Entry: Sendable {
    /// A probe, or what several share, such as the choice of a layer.
    public let probe: String
    public let units: Int
    /// Row-layers of all units.
    public let cost: Int
    /// Of one unit, where one was run.
    public internal(set) var rows: Int?
    /// Of one unit: measured, or by its cost at the rate of those that were; nil where none was.
    public internal(set) var secondsPerUnit: Double?
    public internal(set) var isMeasured = false
  }

  public private(set) var entries: [Entry] = []
  /// Of all units.
  public let cost: Int
  /// Row-layers a second of what was run; nil where nothing was.
  public private(set) var rate: Double?

  public init(_ plan: RunPlan) {
    cost = plan.cost
    var places: [String: Int] = [:]
    for unit in plan.units {
      let place = places[unit.key.probe] ?? entries.count
      if place == entries.count {
        places[unit.key.probe] = place
        entries.append(Entry(probe: unit.key.probe, units: 1, cost: unit.cost))
      } else {
        let entry = entries[place]
        entries[place] = Entry(
          probe: entry.probe, units: entry.units + 1, cost: entry.cost + unit.cost)
      }
    }
  }

  /// Runs one unit of every probe that has one which needs no other, and times it. What units need is
  /// not computed, so that the others are estimated by their cost.
  ///
  /// - Parameters:
  ///   - laboratory: with a store where the plan's experiments need one.
  ///   - seconds: tells the time.
  public mutating func measure(
    _ plan: RunPlan, _ laboratory: Laboratory, seconds: (() throws -> Void) throws -> Double,
    watch: (String) throws -> Void
  ) throws {
    var (time, work) = (0.0, 0)
    for place in entries.indices {
      let own = plan.units.filter { $0.key.probe == entries[place].probe && $0.needs.isEmpty }
      // Not the first: it also reads the weights and fills tables.
      guard let unit = own.count > 1 ? own[own.count / 2] : own.first else { continue }
      try watch(entries[place].probe)
      if work == 0 { _ = try unit.compute(laboratory, NeededRows(rows: [:])) }
      var rows = 0
      let taken = try seconds { rows = try unit.compute(laboratory, NeededRows(rows: [:])).count }
      entries[place].rows = rows
      entries[place].secondsPerUnit = taken
      entries[place].isMeasured = true
      time += taken
      work += unit.cost
    }
    guard time > 0, work > 0 else { return }
    rate = Double(work) / time
    for place in entries.indices where !entries[place].isMeasured {
      entries[place].secondsPerUnit =
        Double(entries[place].cost) / Double(entries[place].units) * time / Double(work)
    }
  }

  /// Seconds that `plan`, this one or a share of it, takes on one machine; nil where nothing was
  /// measured.
  public func seconds(of plan: RunPlan) -> Double? {
    guard rate != nil else { return nil }
    let each = Dictionary(uniqueKeysWithValues: entries.map { ($0.probe, $0.secondsPerUnit ?? 0) })
    return plan.units.reduce(0) { $0 + (each[$1.key.probe] ?? 0) }
  }
}
