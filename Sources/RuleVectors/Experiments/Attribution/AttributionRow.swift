import TensorCore

/// One cell of one prompt's grid: what is estimated of it and, where it was patched, what is true.
public struct AttributionRow: ResultRow, Equatable {
  /// Why a cell was patched.
  enum Drawn: String, Sendable, CaseIterable {
    /// Of every cell as many prompts; these may be among the largest, too.
    case random
    /// The first-order estimate calls it large.
    case top
    /// The integrated one does.
    case topIntegrated = "top-integrated"
    case topOfBoth = "top-of-both"
  }

  let cell: GridCell
  /// Of the change of logit(right) − logit(wrong) by the patch, to first order.
  let estimate: Double
  /// The same with integrated gradients.
  let integrated: Double
  /// Nil where it was not patched.
  let drawn: Drawn?
  /// Whether the estimate is among the largest of its prompt.
  let rank: Bool
  let rankIntegrated: Bool
  /// What the patch changes; nil where it was not patched.
  let exact: Double?
  /// Distance between the clean and the corrupted run.
  let gap: Double

  init(
    cell: GridCell, estimate: Double, integrated: Double, drawn: Drawn?, rank: Bool,
    rankIntegrated: Bool, exact: Double?, gap: Double
  ) {
    self.cell = cell
    self.estimate = estimate
    self.integrated = integrated
    self.drawn = drawn
    self.rank = rank
    self.rankIntegrated = rankIntegrated
    self.exact = exact
    self.gap = gap
  }

  public init(_ columns: Columns) throws {
    let drawn = try columns.textIfThere("drawn")
    self.init(
      cell: GridCell(
        site: try columns.word("site"), axis: try columns.word("axis"),
        layer: try columns.integer("layer"), label: try columns.textIfThere("positions"),
        head: try columns.integerIfThere("head")),
      estimate: try columns.number("estimate"), integrated: try columns.number("integrated"),
      drawn: drawn == nil ? nil : try columns.word("drawn"), rank: try columns.bool("top"),
      rankIntegrated: try columns.bool("top_integrated"),
      exact: try columns.numberIfThere("effect"), gap: try columns.number("gap"))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("site", .string(cell.site.rawValue)), ("axis", .string(cell.axis.rawValue)),
      ("layer", .integer(cell.layer)), ("positions", cell.label.map(JSONValue.string) ?? .null),
      ("head", cell.head.map(JSONValue.integer) ?? .null), ("estimate", .number(estimate)),
      ("integrated", .number(integrated)),
      ("drawn", drawn.map { .string($0.rawValue) } ?? .null), ("top", .bool(rank)),
      ("top_integrated", .bool(rankIntegrated)), ("effect", exact.map(JSONValue.number) ?? .null),
      ("gap", .number(gap)),
    ]
  }
}
