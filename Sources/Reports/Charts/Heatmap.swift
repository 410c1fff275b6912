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
  /// Intervals around the values, `[rows, columns]`, for the table alone; nil for none.
  public var intervals: [[Interval?]]?
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

  /// A map of estimates whose table tells their intervals.
  public init(
    title: String, xTitle: String, yTitle: String, rows: [String], columns: [String],
    cells: [[Interval?]], valueTitle: String = "", scale: ColourScale = .sequential,
    valueRange: ClosedRange<Double>? = nil, digits: Int = 2
  ) {
    self.init(
      title: title, xTitle: xTitle, yTitle: yTitle, rows: rows, columns: columns,
      values: cells.map { $0.map { $0?.estimate } }, valueTitle: valueTitle, scale: scale,
      valueRange: valueRange, digits: digits)
    intervals = cells
  }

  public var svg: String { HeatmapPicture(map: self).svg }

  public var table: CSV {
    CSV(
      header: ["row", "column", "value"] + (intervals == nil ? [] : ["low", "high"]),
      rows: rows.indices.flatMap { row in
        columns.indices.map { column in
          let interval = interval(row, column)
          return [rows[row], columns[column], CSV.number(value(row, column))]
            + (intervals == nil ? [] : [CSV.number(interval?.low), CSV.number(interval?.high)])
        }
      })
  }

  private func interval(_ row: Int, _ column: Int) -> Interval? {
    guard let intervals, row < intervals.count, column < intervals[row].count else { return nil }
    return intervals[row][column]
  }

  /// The number of a cell, nil where it is missing.
  func value(_ row: Int, _ column: Int) -> Double? {
    guard row < values.count, column < values[row].count, let value = values[row][column],
      value.isFinite
    else { return nil }
    return value
  }
}
