/// Lays out and draws a `Heatmap`.
struct HeatmapPicture {
  private let map: Heatmap
  private let range: ClosedRange<Double>
  private let title: [String]
  private let rowLabels: [String]
  private let left: Double
  private let top: Double
  private let cellWidth: Double
  private let cellHeight: Double
  private let barScale: AxisScale
  /// Size of the numbers in cells; nil where the widest does not fit, so that a map has all or none.
  private let numberSize: Double?
  /// Width of the colour bar with its labels and the gaps around it.
  private let barRoom: Double

  private static let edge = 14.0
  private static let rowLabelLimit = 200.0
  private static let barWidth = 14.0

  init(map: Heatmap) {
    self.map = map
    let values = map.rows.indices.flatMap { row in
      map.columns.indices.compactMap { map.value(row, $0) }
    }
    range = map.valueRange ?? map.scale.range(over: values)
    let size = ChartStyle.tickSize
    let scale = AxisScale(over: [range.lowerBound, range.upperBound], count: 4)
    barScale = scale
    title = TextMetrics.lines(
      map.title, size: ChartStyle.titleSize, limit: map.width - 2 * Self.edge)
    rowLabels = map.rows.map { TextMetrics.shortened($0, size: size, limit: Self.rowLabelLimit) }
    let labelWidth = rowLabels.map { TextMetrics.width($0, size: size) }.max() ?? 0
    left = Self.edge + (map.yTitle.isEmpty ? 0 : 22) + labelWidth + 8
    top =
      Self.edge + Double(title.count) * ChartStyle.lineHeight(ChartStyle.titleSize) + 8
    let ticks = scale.ticks.map { TextMetrics.width(scale.label($0), size: size) }
    barRoom =
      16 + Self.barWidth + 8 + (ticks.max() ?? 0) + (map.valueTitle.isEmpty ? 0 : 20) + Self.edge
    let room = max(60, map.width - left - barRoom)
    cellWidth = min(64, room / Double(max(1, map.columns.count)))
    cellHeight = map.rows.count > 24 ? 15 : 26
    let numberRoom = cellHeight >= 18 ? cellWidth - 3 : 0
    numberSize = [11, 9].first { size in
      values.allSatisfy {
        TextMetrics.width(formatted($0, digits: map.digits), size: size) <= numberRoom
      }
    }
  }

  private var right: Double { left + cellWidth * Double(map.columns.count) }
  private var bottom: Double { top + cellHeight * Double(map.rows.count) }

  var svg: String {
    var drawing = Drawing()
    drawing.text(
      title, x: Self.edge, y: Self.edge + ChartStyle.titleSize - 2, size: ChartStyle.titleSize,
      isBold: true)
    drawRowLabels(&drawing)
    for row in map.rows.indices {
      for column in map.columns.indices { drawCell(&drawing, row, column) }
    }
    let labels = ColumnLabels(map.columns, slot: cellWidth, left: left, top: bottom + 4)
    labels.draw(&drawing)
    let titleY = bottom + labels.height + 22
    drawing.text(
      [map.xTitle], x: (left + right) / 2, y: titleY, size: ChartStyle.axisTitleSize,
      anchor: .middle)
    drawBar(&drawing)
    let height = max(titleY + (map.xTitle.isEmpty ? -6 : 12), top + barHeight + 16)
    let titleWidth = title.map { TextMetrics.width($0, size: ChartStyle.titleSize) }.max() ?? 0
    // Few columns do not fill the width.
    let used = max(right + barRoom, titleWidth + 2 * Self.edge)
    return drawing.svg(width: min(map.width, used), height: height, label: map.title)
  }

  private func share(_ value: Double) -> Double {
    let span = range.upperBound - range.lowerBound
    return span > 0 ? (value - range.lowerBound) / span : 0.5
  }

  private func drawRowLabels(_ drawing: inout Drawing) {
    // In low rows only every other label has room.
    let every = cellHeight < 15 ? 2 : 1
    for (row, label) in rowLabels.enumerated() where row % every == 0 {
      drawing.text(
        [label], x: left - 7, y: top + (Double(row) + 0.5) * cellHeight + 4, anchor: .end,
        colour: ChartStyle.quiet)
    }
    guard !map.yTitle.isEmpty else { return }
    drawing.text(
      [map.yTitle], x: Self.edge + 9, y: (top + bottom) / 2, size: ChartStyle.axisTitleSize,
      anchor: .middle, rotation: -90)
  }

  private func drawCell(_ drawing: inout Drawing, _ row: Int, _ column: Int) {
    let x = left + Double(column) * cellWidth
    let y = top + Double(row) * cellHeight
    // A hair of white between cells, unless they are tiny.
    let gap = cellWidth > 10 ? 1.0 : 0
    let place = "\(map.rows[row]), \(map.columns[column])"
    guard let value = map.value(row, column) else {
      drawing.rectangle(
        x: x, y: y, width: cellWidth - gap, height: cellHeight - gap, fill: "#f0f0f0",
        tooltip: "\(place): missing")
      drawing.line(
        from: (x + 2, y + cellHeight - 3), to: (x + cellWidth - 3, y + 2), colour: "#b0b0b0")
      return
    }
    let colour = map.scale.colour(share(value))
    let text = formatted(value, digits: map.digits)
    drawing.rectangle(
      x: x, y: y, width: cellWidth - gap, height: cellHeight - gap,
      fill: ColourScale.hexadecimal(colour), tooltip: "\(place): \(text)")
    guard let numberSize else { return }
    drawing.text(
      [text], x: x + (cellWidth - gap) / 2, y: y + cellHeight / 2 + 3.5, size: numberSize,
      anchor: .middle,
      colour: ColourScale.wantsDarkText(colour) ? ChartStyle.ink : ChartStyle.paper)
  }

  private var barHeight: Double { min(max(bottom - top, 90), 240) }

  private func drawBar(_ drawing: inout Drawing) {
    let x = right + 16
    let steps = 48
    let step = barHeight / Double(steps)
    for index in 0..<steps {
      let colour = map.scale.colour(1 - (Double(index) + 0.5) / Double(steps))
      // A little overlap hides the seams.
      drawing.rectangle(
        x: x, y: top + Double(index) * step, width: Self.barWidth,
        height: step + (index < steps - 1 ? 0.6 : 0), fill: ColourScale.hexadecimal(colour))
    }
    drawing.polyline(
      [
        (x, top), (x + Self.barWidth, top), (x + Self.barWidth, top + barHeight),
        (x, top + barHeight), (x, top),
      ], colour: ChartStyle.frame, width: 0.8)
    var labelWidth = 0.0
    for tick in barScale.ticks {
      let y = top + barHeight * (1 - barScale.share(tick))
      let label = barScale.label(tick)
      labelWidth = max(labelWidth, TextMetrics.width(label, size: ChartStyle.tickSize))
      drawing.line(
        from: (x + Self.barWidth, y), to: (x + Self.barWidth + 4, y), colour: ChartStyle.frame)
      drawing.text([label], x: x + Self.barWidth + 7, y: y + 4, colour: ChartStyle.quiet)
    }
    guard !map.valueTitle.isEmpty else { return }
    let title = TextMetrics.shortened(map.valueTitle, size: 12, limit: barHeight + 20)
    drawing.text(
      [title], x: x + Self.barWidth + 7 + labelWidth + 18, y: top + barHeight / 2, size: 12,
      anchor: .middle, rotation: -90)
  }
}
