/// Lays out and draws a `LineChart`.
struct LineChartPicture {
  private struct TopLabel {
    let line: LineChart.VerticalLine
    /// Middle of the text, which keeps off the edges of the picture.
    let x: Double
    let row: Int
  }

  private let chart: LineChart
  private let frame: ChartFrame
  private let xScale: AxisScale
  private let topLabels: [TopLabel]

  init(chart: LineChart) {
    self.chart = chart
    let points = chart.series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    let xs =
      points.map(\.x) + chart.verticalLines.map(\.x).filter(\.isFinite)
      + chart.straightLines.flatMap { [$0.start.x, $0.end.x] }.filter(\.isFinite)
    xScale = AxisScale(
      over: xs, padding: 0.02, count: 10, isWhole: xs.allSatisfy { $0 == $0.rounded() })
    let yScale = Self.yScale(of: chart, points)
    let labels =
      chart.horizontalLines.filter { Self.contains(yScale, $0.y) }.map(\.label)
      + chart.straightLines.map(\.label)
    let plain = ChartFrame(
      width: chart.width, plotHeight: chart.plotHeight, title: chart.title, xTitle: chart.xTitle,
      yTitle: chart.yTitle, yScale: yScale, rightLabels: labels, topRows: 0)
    topLabels = Self.topLabels(chart.verticalLines, xScale, plain)
    frame = ChartFrame(
      width: chart.width, plotHeight: chart.plotHeight, title: chart.title, xTitle: chart.xTitle,
      yTitle: chart.yTitle, yScale: yScale, rightLabels: labels,
      topRows: topLabels.map { $0.row + 1 }.max() ?? 0)
  }

  var svg: String {
    var drawing = Drawing()
    frame.drawBack(&drawing)
    drawXTicks(&drawing)
    drawReferences(&drawing)
    var lines = Drawing()
    for (index, series) in chart.series.enumerated() { drawBands(&lines, series, index) }
    for line in chart.straightLines where isFinite(line) {
      lines.line(
        from: (x(line.start.x), frame.y(line.start.y)), to: (x(line.end.x), frame.y(line.end.y)),
        colour: ChartStyle.quiet, width: 1.4, dash: "6 3 1 3")
    }
    for (index, series) in chart.series.enumerated() { drawLine(&lines, series, index) }
    drawing.clipped(
      x: frame.left, y: frame.top, width: frame.right - frame.left,
      height: frame.bottom - frame.top, lines)
    frame.drawAxes(&drawing)
    for (index, series) in chart.series.enumerated() { drawMarkers(&drawing, series, index) }

    let legend = ChartLegend(
      names: chart.series.count > 1 ? chart.series.map(\.name) : [], note: chart.intervalNote,
      left: frame.left, right: chart.width - 14)
    let legendTop = frame.bottom + 26 + frame.xTitleHeight
    legend.draw(&drawing, y: legendTop)
    frame.drawXTitle(&drawing, offset: 38)
    return drawing.svg(
      width: chart.width, height: legendTop + legend.height + 10, label: chart.title)
  }

  private func x(_ value: Double) -> Double {
    frame.left + xScale.share(value) * (frame.right - frame.left)
  }

  private func isFinite(_ line: LineChart.StraightLine) -> Bool {
    [line.start.x, line.start.y, line.end.x, line.end.y].allSatisfy(\.isFinite)
  }

  private static func contains(_ scale: AxisScale, _ value: Double) -> Bool {
    value >= scale.low && value <= scale.high
  }

  /// Covers every point and line. Intervals are covered as far as they do not flatten the points:
  /// to three times their span around them.
  private static func yScale(of chart: LineChart, _ points: [LineChart.Point]) -> AxisScale {
    if let range = chart.yRange, range.upperBound > range.lowerBound {
      return AxisScale(over: [range.lowerBound, range.upperBound], count: 6)
    }
    let values =
      (points.map(\.y) + chart.horizontalLines.map(\.y)
      + chart.straightLines.flatMap { [$0.start.y, $0.end.y] }).filter(\.isFinite)
    guard let low = values.min(), let high = values.max() else {
      return AxisScale(over: [], count: 6)
    }
    let reach = high > low ? 1.5 * (high - low) : Double.infinity
    let ends = points.flatMap { [$0.low, $0.high] }.compactMap { $0 }.filter(\.isFinite)
    let shown = values + ends.map { min(max($0, low - reach), high + reach) }
    return AxisScale(over: shown, padding: 0.04, count: 6)
  }

  /// Labels of vertical lines, in as few rows as keep them apart.
  private static func topLabels(
    _ lines: [LineChart.VerticalLine], _ scale: AxisScale, _ frame: ChartFrame
  ) -> [TopLabel] {
    var rowEnds: [Double] = []
    return lines.filter { $0.x.isFinite }.sorted { $0.x < $1.x }.map { line in
      let half = TextMetrics.width(line.label, size: ChartStyle.tickSize) / 2
      let place = frame.left + scale.share(line.x) * (frame.right - frame.left)
      // Over the plot, where no tick's label of the vertical axis can be.
      let x = max(min(place, frame.width - 10 - half), frame.left + half)
      let row = rowEnds.firstIndex { $0 + 8 < x - half } ?? rowEnds.count
      if row == rowEnds.count { rowEnds.append(0) }
      rowEnds[row] = x + half
      return TopLabel(line: line, x: x, row: row)
    }
  }

  private func drawXTicks(_ drawing: inout Drawing) {
    for tick in xScale.ticks {
      let x = x(tick)
      drawing.line(
        from: (x, frame.bottom), to: (x, frame.bottom + 4), colour: ChartStyle.frame)
      drawing.text(
        [xScale.label(tick)], x: x, y: frame.bottom + 17, anchor: .middle,
        colour: ChartStyle.quiet)
    }
  }

  private func drawReferences(_ drawing: inout Drawing) {
    for line in chart.horizontalLines { frame.drawReference(&drawing, at: line.y) }
    let horizontal = chart.horizontalLines.filter { Self.contains(frame.yScale, $0.y) }
      .map { ChartFrame.Label(y: frame.y($0.y), lines: ChartFrame.rightLabelLines($0.label)) }
    let straight = chart.straightLines.filter(isFinite).map { line in
      ChartFrame.Label(y: frame.y(line.end.y), lines: ChartFrame.rightLabelLines(line.label))
    }
    frame.drawRightLabels(&drawing, horizontal + straight)
    let lineHeight = ChartStyle.lineHeight(ChartStyle.tickSize)
    for label in topLabels {
      let x = x(label.line.x)
      let y = frame.top - 5 - Double(label.row) * lineHeight
      drawing.line(
        from: (x, y + 3), to: (x, frame.bottom), colour: ChartStyle.ink, width: 1.2, dash: "3 3")
    }
    for label in topLabels {
      drawing.text(
        [label.line.label], x: label.x, y: frame.top - 5 - Double(label.row) * lineHeight,
        anchor: .middle, hasHalo: true)
    }
  }

  /// Runs of neighbouring points that have everything that `isPresent` asks for.
  private func runs(
    _ points: [LineChart.Point], where isPresent: (LineChart.Point) -> Bool
  ) -> [ArraySlice<LineChart.Point>] {
    points.split { !($0.x.isFinite && isPresent($0)) }
  }

  private func drawBands(_ drawing: inout Drawing, _ series: LineChart.Series, _ index: Int) {
    let colour = ChartStyle.colour(index)
    let isPresent = { (point: LineChart.Point) in
      point.low?.isFinite == true && point.high?.isFinite == true
    }
    for run in runs(series.points, where: isPresent) {
      let upper = run.map { (x: x($0.x), y: frame.y($0.high ?? $0.y)) }
      let lower = run.map { (x: x($0.x), y: frame.y($0.low ?? $0.y)) }
      if run.count == 1 {
        // A band of one point has no width; a whisker has.
        drawing.line(from: upper[0], to: lower[0], colour: colour, width: 1.4)
        continue
      }
      drawing.add(
        .element(
          "polygon",
          [
            "points": Drawing.list(upper + lower.reversed()), "fill": colour,
            "fill-opacity": "0.15", "stroke": colour, "stroke-opacity": "0.3",
            "stroke-width": "0.7",
          ]))
    }
  }

  private func drawLine(_ drawing: inout Drawing, _ series: LineChart.Series, _ index: Int) {
    for run in runs(series.points, where: { $0.y.isFinite }) where run.count > 1 {
      drawing.polyline(
        run.map { (x: x($0.x), y: frame.y($0.y)) }, colour: ChartStyle.colour(index), width: 2,
        dash: ChartStyle.dash(index))
    }
  }

  private func drawMarkers(_ drawing: inout Drawing, _ series: LineChart.Series, _ index: Int) {
    let present = series.points.filter { $0.x.isFinite && $0.y.isFinite }
    // In a dense line only some points show a marker, but all of them have their tooltip.
    let room = (frame.right - frame.left) / 9
    let every = max(1, Int((Double(present.count) / room).rounded(.up)))
    let markers = present.enumerated().filter { Self.contains(frame.yScale, $1.y) }
      .map { place, point in
        let centre = (x: x(point.x), y: frame.y(point.y))
        let words = tooltip(series, point)
        guard place % every > 0 else {
          return ChartStyle.marker(index, x: centre.x, y: centre.y, tooltip: words)
        }
        return Markup.element(
          "circle",
          [
            "cx": pixels(centre.x), "cy": pixels(centre.y), "r": "5", "fill-opacity": "0",
            "stroke": "none",
          ], [.element("title", [:], [.text(words)])])
      }
    if !markers.isEmpty { drawing.add(ChartStyle.markers(index, markers)) }
  }

  private func tooltip(_ series: LineChart.Series, _ point: LineChart.Point) -> String {
    let digits = frame.yScale.digits + 2
    let value = formattedInterval(point.y, point.low, point.high, digits: digits)
    let axis = chart.xTitle.isEmpty ? "x" : chart.xTitle
    return "\(series.name), \(axis) \(formatted(point.x, digits: xScale.digits)): \(value)"
  }
}
