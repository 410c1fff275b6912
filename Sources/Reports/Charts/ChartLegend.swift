/// Names of series beside samples of their lines, in rows below a plot.
struct ChartLegend: Sendable {
  private struct Entry {
    let series: Int?
    let name: String
    let x: Double
    let row: Int
  }

  private var entries: [Entry] = []
  private(set) var rows = 0

  private static let sampleWidth = 34.0
  private static let gap = 20.0
  private static let size = 12.0
  private static let rowHeight = 19.0

  /// - Parameter note: A remark behind the names, such as what the bands are.
  init(names: [String], note: String?, left: Double, right: Double) {
    var x = left
    // A note that does not fit into a row goes on in the next.
    let noteLines = note.map { TextMetrics.lines($0, size: Self.size, limit: right - left) } ?? []
    let items =
      names.enumerated().map { (series: Int?.some($0), name: $1) }
      + noteLines.map { (series: nil, name: $0) }
    for item in items {
      let sample = item.series == nil ? 0 : Self.sampleWidth
      let name = TextMetrics.shortened(item.name, size: Self.size, limit: right - left - sample)
      let width = sample + TextMetrics.width(name, size: Self.size)
      if rows == 0 {
        rows = 1
      } else if x + width > right {
        x = left
        rows += 1
      }
      entries.append(Entry(series: item.series, name: name, x: x, row: rows - 1))
      x += width + Self.gap
    }
  }

  var height: Double { Double(rows) * Self.rowHeight }

  func draw(_ drawing: inout Drawing, y: Double) {
    for entry in entries {
      let middle = y + (Double(entry.row) + 0.5) * Self.rowHeight
      var x = entry.x
      if let series = entry.series {
        drawing.line(
          from: (x, middle), to: (x + Self.sampleWidth - 7, middle),
          colour: ChartStyle.colour(series), width: 2, dash: ChartStyle.dash(series))
        drawing.add(
          ChartStyle.markers(
            series, [ChartStyle.marker(series, x: x + (Self.sampleWidth - 7) / 2, y: middle)]))
        x += Self.sampleWidth
      }
      drawing.text(
        [entry.name], x: x, y: middle + 4, size: Self.size,
        colour: entry.series == nil ? ChartStyle.quiet : ChartStyle.ink)
    }
  }
}
