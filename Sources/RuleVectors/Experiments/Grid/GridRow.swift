import TensorCore

/// One site at one layer, patched from the clean run into the corrupted one.
public struct GridRow: ResultRow, Equatable {
  let site: GridSite
  let axis: GridAxis
  let layer: Int
  /// The position's or role's label; nil for heads.
  let cell: String?
  /// Nil for all heads, or where the site has none.
  let head: Int?
  /// logit(right) − logit(wrong): patched, of the clean run, of the corrupted run.
  let patched: Float
  let clean: Float
  let corrupted: Float

  init(
    site: GridSite, axis: GridAxis, layer: Int, cell: String?, head: Int?, patched: Float,
    clean: Float, corrupted: Float
  ) {
    self.site = site
    self.axis = axis
    self.layer = layer
    self.cell = cell
    self.head = head
    self.patched = patched
    self.clean = clean
    self.corrupted = corrupted
  }

  public init(_ columns: Columns) throws {
    self.init(
      site: try columns.word("site"), axis: try columns.word("axis"),
      layer: try columns.integer("layer"), cell: try columns.textIfThere("positions"),
      head: try columns.integerIfThere("head"),
      patched: Float(try columns.number("logit_difference")),
      clean: Float(try columns.number("logit_difference_clean")),
      corrupted: Float(try columns.number("logit_difference_corrupted")))
  }

  public var columns: [(key: String, value: JSONValue)] {
    [
      ("site", .string(site.rawValue)), ("axis", .string(axis.rawValue)),
      ("layer", .integer(layer)), ("positions", cell.map(JSONValue.string) ?? .null),
      ("head", head.map(JSONValue.integer) ?? .null),
      ("logit_difference", .number(Double(patched))),
      ("logit_difference_clean", .number(Double(clean))),
      ("logit_difference_corrupted", .number(Double(corrupted))),
    ]
  }
}
