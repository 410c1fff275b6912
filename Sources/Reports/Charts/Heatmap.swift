/// A table of numbers as colours, such as a grid of patches.
///
/// Rows are drawn from top to bottom in the order given, columns from left to right. For patching
/// grids, layers go down with layer 0 at the top, and positions or heads go across, as in the
/// pictures that users of TransformerLens make.
///
/// Without script, maps of up to 1,024 cells tell their values too.
public struct Heatmap: Chart {
  public var title: String
  public var xTitle: String
  public var yTitle: String
  public var columns: [String]
  public var rows: [String]
  /// `[rows, columns]`. What is not finite or not there is no cell, and is crossed out.
  public var values: [[Double]]
  /// Intervals around the values, `[rows, columns]`; nil for none.
  public var intervals: [[Interval?]]?
  /// Cells that stand out, `[rows, columns]`, such as those that survive correction; nil for none.
  public var marks: [[Bool]]?
  /// What a mark means, told in the legend.
  public var markNote: String?
  /// What the colours cover; values beyond take the colour at its end, and the legend says so. Nil
  /// for all values.
  public var range: ClosedRange<Double>?
  /// Whether colours diverge from white at 0, as far on one side as on the other; otherwise they
  /// go from light to dark.
  public var isDiverging: Bool
  /// What the colours mean, beside the colour bar.
  public var valueTitle: String
  /// What stands behind the value under the pointer, `[rows, columns]`, such as `p = 0.003`.
  public var notes: [[String]]?
  /// Digits of the numbers in cells; those under the pointer have one more.
  public var digits: Int
  /// Greatest width of the picture in pixels; the height follows from the rows.
  public var width: Double

  public init(
    title: String, xTitle: String, yTitle: String, columns: [String], rows: [String],
    values: [[Double]], intervals: [[Interval?]]? = nil, marks: [[Bool]]? = nil,
    markNote: String? = nil, range: ClosedRange<Double>? = nil, isDiverging: Bool = true,
    valueTitle: String = "", notes: [[String]]? = nil, digits: Int = 2, width: Double = 760
  ) {
    self.title = title
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.columns = columns
    self.rows = rows
    self.values = values
    self.intervals = intervals
    self.marks = marks
    self.markNote = markNote
    self.range = range
    self.isDiverging = isDiverging
    self.valueTitle = valueTitle
    self.notes = notes
    self.digits = digits
    self.width = width
  }

  public var svg: String { HeatmapPicture(map: self).svg }

  /// One line a cell: row, column, value; then what there is of low, high, mark and note.
  public var table: CSV {
    CSV(
      header: ["row", "column", "value"] + (intervals == nil ? [] : ["low", "high"])
        + (marks == nil ? [] : ["mark"]) + (notes == nil ? [] : ["note"]),
      rows: rows.indices.flatMap { row in
        columns.indices.map { column in
          let interval = interval(row, column)
          return [rows[row], columns[column], CSV.number(value(row, column))]
            + (intervals == nil ? [] : [CSV.number(interval?.low), CSV.number(interval?.high)])
            + (marks == nil ? [] : [isMarked(row, column) ? "true" : "false"])
            + (notes == nil ? [] : [note(row, column) ?? ""])
        }
      })
  }

  /// The number of a cell, nil where there is no cell.
  func value(_ row: Int, _ column: Int) -> Double? {
    guard let value = Self.cell(values, row, column), value.isFinite else { return nil }
    return value
  }

  func isMarked(_ row: Int, _ column: Int) -> Bool {
    value(row, column) != nil && Self.cell(marks ?? [], row, column) == true
  }

  /// What the pointer shows of a cell behind its row and column.
  func text(_ row: Int, _ column: Int) -> String {
    guard let value = value(row, column) else { return "no value" }
    let interval = interval(row, column)
    let number = formattedInterval(value, interval?.low, interval?.high, digits: digits + 1)
    let parts = [number, note(row, column) ?? ""].filter { !$0.isEmpty }.joined(separator: ", ")
    return isMarked(row, column) ? parts + " ●" : parts
  }

  /// A row's or column's name behind the axis' title, without what follows a comma there.
  static func place(_ axis: String, _ label: String) -> String {
    let name = axis.prefix { $0 != "," }
    return name.isEmpty ? label : "\(name) \(label)"
  }

  private func interval(_ row: Int, _ column: Int) -> Interval? {
    Self.cell(intervals ?? [], row, column) ?? nil
  }

  private func note(_ row: Int, _ column: Int) -> String? {
    Self.cell(notes ?? [], row, column)
  }

  private static func cell<Value>(_ table: [[Value]], _ row: Int, _ column: Int) -> Value? {
    row < table.count && column < table[row].count ? table[row][column] : nil
  }
}
