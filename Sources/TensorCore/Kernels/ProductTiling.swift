/// How a product is cut into tiles.
///
/// OpenBLAS copies both factors of every product into an order of its own, so tiles that are large in
/// both directions cost least; their number is what several threads have to share. The shape follows
/// from the product's shape and from nothing else.
struct ProductTiling {
  /// Most values of an unpacked panel: 8 Mi values are 32 MiB.
  static let panelValues = 8 << 20
  /// Most rows of a tile.
  static let mostRows = 640
  private static let mostColumns = 768
  private static let fewestTiles = 8

  private let rows: Int
  private let columns: Int
  private let tileRows: Int
  private let tileColumns: Int
  private let across: Int

  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    tileColumns = Self.extent(of: columns, parts: Self.parts(columns, ofAtMost: Self.mostColumns))
    across = Self.parts(columns, ofAtMost: tileColumns)
    let fewest = Self.parts(Self.fewestTiles, ofAtMost: across)
    tileRows = Self.extent(
      of: rows, parts: max(Self.parts(rows, ofAtMost: Self.mostRows), fewest))
  }

  /// Number of tiles.
  var count: Int { across * Self.parts(rows, ofAtMost: tileRows) }

  subscript(index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
    let row = index / across * tileRows
    let column = index % across * tileColumns
    return (
      row..<min(rows, row + tileRows), column..<min(columns, column + tileColumns)
    )
  }

  /// Columns of each tile where one tile holds all rows: about 192, whose f32 weights fit the
  /// second-level cache, and an even number of tiles.
  static func columns(of total: Int) -> Int {
    extent(of: total, parts: 2 * parts(total, ofAtMost: 384))
  }

  private static func parts(_ total: Int, ofAtMost most: Int) -> Int { (total + most - 1) / most }

  /// Extent of each of `parts` about equal parts, a multiple of the 16 that OpenBLAS works in.
  private static func extent(of total: Int, parts: Int) -> Int {
    ((total + parts - 1) / parts + 15) / 16 * 16
  }
}
