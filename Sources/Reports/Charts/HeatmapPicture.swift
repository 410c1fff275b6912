/// Lays out and draws a `Heatmap`.
struct HeatmapPicture {
  private let map: Heatmap
  private let scale: ColourScale
  private let range: ClosedRange<Double>
  private let cells: HeatmapCells
  private let title: [String]
  private let rowLabels: [String]
  /// One row label in so many rows.
  private let rowLabelStep: Int
  private let isYTitleUpright: Bool
  private let legend: [String]
  private let barScale: AxisScale
  /// Width of the colour bar with its labels and the gaps around it.
  private let barRoom: Double

  private static let edge = 14.0
  private static let rowLabelLimit = 200.0
  private static let barWidth = 14.0
  private static let noteSize = 12.0

  init(map: Heatmap) {
    self.map = map
    let values = map.rows.indices.flatMap { row in
      map.columns.indices.compactMap { map.value(row, $0) }
    }
    let scale: ColourScale = map.isDiverging ? .diverging : .sequential
    self.scale = scale
    range = scale.range(over: map.range.map { [$0.lowerBound, $0.upperBound] } ?? values)
    let size = ChartStyle.tickSize
    let barScale = AxisScale(over: [range.lowerBound, range.upperBound], count: 4)
    self.barScale = barScale
    legend = Self.legend(of: map, values, range)
    title = TextMetrics.lines(
      map.title, size: ChartStyle.titleSize * TextMetrics.bold, limit: map.width - 2 * Self.edge)
    let rowCount = Double(map.rows.count)
    let cellHeight = map.rows.count <= 16 ? 26 : max(8, min(26, (480 / rowCount).rounded(.down)))
    rowLabelStep = ColumnLabels.step(atLeast: 14.5 / cellHeight)
    rowLabels = map.rows.map { TextMetrics.shortened($0, size: size, limit: Self.rowLabelLimit) }
    let labelWidth = rowLabels.map { TextMetrics.width($0, size: size) }.max() ?? 0
    let plotHeight = cellHeight * rowCount
    isYTitleUpright =
      TextMetrics.width(map.yTitle, size: ChartStyle.axisTitleSize) > max(plotHeight, 40)
    let left = Self.edge + (map.yTitle.isEmpty || isYTitleUpright ? 0 : 22) + labelWidth + 8
    let top =
      Self.edge + Double(title.count) * ChartStyle.lineHeight(ChartStyle.titleSize) + 8
      + (isYTitleUpright ? 20 : 0)
    let ticks = barScale.ticks.map { TextMetrics.width(barScale.label($0), size: size) }
    barRoom =
      16 + Self.barWidth + 8 + (ticks.max() ?? 0) + (map.valueTitle.isEmpty ? 0 : 24) + Self.edge
    let room = max(60, map.width - left - barRoom)
    let cellWidth = min(64, room / Double(max(1, map.columns.count)))
    cells = HeatmapCells(
      map: map, scale: scale, range: range, left: left, top: top, width: cellWidth,
      height: cellHeight)
  }

  var svg: String {
    let columnLabels = ColumnLabels(
      map.columns, slot: cells.width, left: cells.left, top: cells.bottom + 4)
    let titleSize = ChartStyle.titleSize * TextMetrics.bold
    let titleWidth = title.map { TextMetrics.width($0, size: titleSize) }.max() ?? 0
    let xTitle = TextMetrics.lines(
      map.xTitle, size: ChartStyle.axisTitleSize, limit: map.width - 2 * Self.edge)
    let xTitleWidth =
      xTitle.map { TextMetrics.width($0, size: ChartStyle.axisTitleSize) }.max() ?? 0
    let noteWidth = legend.map { TextMetrics.width($0, size: Self.noteSize) }.max() ?? 0
    let yTitleWidth =
      isYTitleUpright ? TextMetrics.width(map.yTitle, size: ChartStyle.axisTitleSize) : 0
    let lines = max(titleWidth, xTitleWidth, min(noteWidth, 480), yTitleWidth) + 2 * Self.edge
    // Few columns do not fill the width.
    let width = min(map.width, max(cells.right + barRoom, lines))

    var drawing = Drawing()
    drawing.text(
      title, x: Self.edge, y: Self.edge + ChartStyle.titleSize - 2, size: ChartStyle.titleSize,
      isBold: true)
    drawRowLabels(&drawing)
    cells.draw(&drawing)
    columnLabels.draw(&drawing)
    var y = cells.bottom + columnLabels.height + 22
    let half = xTitleWidth / 2 + Self.edge
    drawing.text(
      xTitle, x: min(max((cells.left + cells.right) / 2, half), width - half), y: y,
      size: ChartStyle.axisTitleSize, anchor: .middle)
    y += Double(xTitle.count - 1) * ChartStyle.lineHeight(ChartStyle.axisTitleSize)
    drawBar(&drawing)
    y = max(y + 12, cells.top + barHeight + 12)
    for note in legend {
      let lines = TextMetrics.lines(note, size: Self.noteSize, limit: width - 2 * Self.edge)
      drawing.text(lines, x: Self.edge, y: y + 10, size: Self.noteSize, colour: ChartStyle.quiet)
      y += Double(lines.count) * ChartStyle.lineHeight(Self.noteSize)
    }
    return drawing.svg(width: width, height: y + 6, label: map.title)
  }

  private static func legend(
    of map: Heatmap, _ values: [Double], _ range: ClosedRange<Double>
  ) -> [String] {
    var notes: [String] = []
    if let marks = map.marks, !marks.isEmpty { notes.append("● \(map.markNote ?? "marked")") }
    if values.count < map.rows.count * map.columns.count { notes.append("╱ no value") }
    if values.contains(where: { !range.contains($0) }) {
      notes.append("Values beyond the scale have the colour of its end.")
    }
    return notes
  }

  private func drawRowLabels(_ drawing: inout Drawing) {
    for (row, label) in rowLabels.enumerated() where row % rowLabelStep == 0 {
      drawing.text(
        [label], x: cells.left - 7, y: cells.top + (Double(row) + 0.5) * cells.height + 4,
        anchor: .end, colour: ChartStyle.quiet)
    }
    guard !map.yTitle.isEmpty else { return }
    if isYTitleUpright {
      let room = map.width - 2 * Self.edge
      drawing.text(
        [TextMetrics.shortened(map.yTitle, size: ChartStyle.axisTitleSize, limit: room)],
        x: Self.edge, y: cells.top - 8, size: ChartStyle.axisTitleSize)
    } else {
      drawing.text(
        [map.yTitle], x: Self.edge + 9, y: (cells.top + cells.bottom) / 2,
        size: ChartStyle.axisTitleSize, anchor: .middle, rotation: -90)
    }
  }

  private var barHeight: Double { min(max(cells.bottom - cells.top, 90), 240) }

  private func drawBar(_ drawing: inout Drawing) {
    let x = cells.right + 16
    let top = cells.top
    let steps = 48
    let step = barHeight / Double(steps)
    for index in 0..<steps {
      let colour = scale.colour(1 - (Double(index) + 0.5) / Double(steps))
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
    let title = TextMetrics.shortened(map.valueTitle, size: 12, limit: barHeight)
    drawing.text(
      [title], x: x + Self.barWidth + 7 + labelWidth + 20, y: top + barHeight / 2, size: 12,
      anchor: .middle, rotation: -90)
  }
}
