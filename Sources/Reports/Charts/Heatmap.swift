/// A table of numbers as colours, such as layers by positions.
///
/// Missing numbers (nil or not finite) show as crossed-out cells.
public struct Heatmap: Chart {
  public var title: String
  public var xTitle: String
  public var yTitle: String
  public var rows: [String]
  public var columns: [String]
  /// `[rows, columns]`; missing ones count as nil.
  public var values: [[Double?]]
  /// What the colours mean, beside the colour bar.
  public var valueTitle: String
  public var scale: ColourScale
  /// Nil for the range of the values.
  public var valueRange: ClosedRange<Double>?
  public var digits: Int
  /// Width of the picture in pixels; the height follows from the rows.
  public var width: Double

  public init(
    title: String, xTitle: String, yTitle: String, rows: [String], columns: [String],
    values: [[Double?]], valueTitle: String = "", scale: ColourScale = .sequential,
    valueRange: ClosedRange<Double>? = nil, digits: Int = 2, width: Double = 760
  ) {
    self.title = title
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.rows = rows
    self.columns = columns
    self.values = values
    self.valueTitle = valueTitle
    self.scale = scale
    self.valueRange = valueRange
    self.digits = digits
    self.width = width
  }

  public var svg: String { HeatmapPicture(map: self).svg }

  public var table: CSV {
    CSV(
      header: ["row", "column", "value"],
      rows: rows.indices.flatMap { row in
        columns.indices.map { column in
          [rows[row], columns[column], CSV.number(value(row, column))]
        }
      })
  }

  /// The number of a cell, nil where it is missing.
  func value(_ row: Int, _ column: Int) -> Double? {
    guard row < values.count, column < values[row].count, let value = values[row][column],
      value.isFinite
    else { return nil }
    return value
  }
}
