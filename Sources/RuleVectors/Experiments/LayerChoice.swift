import TensorCore

/// A layer, or how development episodes choose it.
///
/// A choice is work of its own: its development units carry the choice's name, not a probe's, so that
/// probes that choose alike share them, and whoever uses the layer names them as what it needs.
enum LayerChoice: Sendable, Equatable {
  case fixed(Int)
  /// The layer at which `positions` recover most over `episodes` development episodes.
  case development(donor: Donor, positions: PositionGroup, episodes: Int)

  /// A number, or `{"donor": …, "positions": …, "episodes": …}`.
  init(_ reader: JSONReader) throws {
    if case .integer = reader.value {
      self = .fixed(try reader.integer(in: 0...10_000))
      return
    }
    let keys = try ProbeKeys(reader)
    self = .development(
      donor: try keys.word("donor"), positions: try keys.word("positions"),
      episodes: try keys.integer("episodes", 1...1000, or: 8))
    try keys.refuseUnread()
  }

  /// The name of the development rows that choose; nil where nothing is chosen.
  var probe: String? {
    guard case .development(let donor, let positions, let episodes) = self else { return nil }
    return "\(Self.prefix)\(donor.rawValue).\(positions.rawValue).\(episodes)"
  }

  /// The donors that it runs.
  var donors: [Donor] {
    if case .development(let donor, _, _) = self { [donor] } else { [] }
  }

  /// Names of probes may not begin so.
  static let prefix = "layer-choice."

  /// For sentences: how the layer came about.
  var words: String {
    switch self {
    case .fixed: "which the probe names"
    case .development(_, _, let episodes): "which \(episodes) development episodes chose"
    }
  }

  /// The units that choose.
  func units(_ task: RuleTask, _ setting: Setting) -> [Unit] {
    guard case .development(let donor, let positions, let episodes) = self, let probe else {
      return []
    }
    let layers = Array(0..<setting.architecture.layers)
    return (0..<episodes).map { index in
      Unit(
        LayerChoiceRows.self,
        UnitKey(probe: probe, task: task.name, split: .development, episode: index),
        cost: 2 * setting.wholeRun + layers.reduce(0) { $0 + setting.above($1) },
        check: { try $0.check(donor, $0.episode(task, index, .development), task) },
        compute: { laboratory, _ in
          try laboratory.sweep(
            donor, task, index, .development, groups: [positions], layers: layers)
        })
    }
  }

  /// The chosen layer.
  ///
  /// - Parameter rows: those of the choice's units; the layer with the largest mean logit difference
  ///   after patching wins, the earliest of equals. All layers share their episodes, so that is also
  ///   the layer of the largest recovery.
  func layer(from rows: [LayerSweepRow]) throws -> Int {
    if case .fixed(let layer) = self { return layer }
    var sums: [Int: (sum: Double, count: Int)] = [:]
    for row in rows {
      sums[row.layer, default: (0, 0)].sum += Double(row.outcome.patched.logitDifference)
      sums[row.layer, default: (0, 0)].count += 1
    }
    return try Self.best(sums.mapValues { $0.sum / Double($0.count) })
  }

  /// The layer of the largest value, the earliest of equals.
  static func best(_ values: [Int: Double]) throws -> Int {
    let best = values.min { a, b in (-a.value, a.key) < (-b.value, b.key) }
    guard let best else {
      throw UserError(
        "no development episodes choose a layer", remedy: "run the same command again")
    }
    return best.key
  }

  /// For a unit that needs the choice.
  func layer(_ task: RuleTask, _ needed: NeededRows) throws -> Int {
    guard case .development(_, _, let episodes) = self, let probe else {
      return try layer(from: [])
    }
    return try layer(
      from: needed.rows(
        of: (0..<episodes).map {
          UnitKey(probe: probe, task: task.name, split: .development, episode: $0)
        }))
  }

  /// For a section: nil where the development rows are not all there yet.
  func layer(_ findings: Findings) throws -> Int? {
    guard case .development(_, _, let episodes) = self, let probe else {
      return try layer(from: [])
    }
    let rows = try findings.rows(of: probe, as: LayerSweepRow.self)
    guard Set(rows.map(\.key)).count == episodes else { return nil }
    return try layer(from: rows.map(\.row))
  }

  /// - Throws: `UserError` for a fixed layer that the model does not have.
  func validate(_ layers: Int, probe: String) throws {
    if case .fixed(let layer) = self {
      _ = try LayerList.some([layer]).resolved(layers, probe: probe)
    }
  }
}

/// What the rows of a layer choice mean.
enum LayerChoiceRows: RowKind {
  typealias Row = LayerSweepRow
  static let kind = "layer-choice"
  static let version = 1
}
