/// The parts around a plot: title, axes, grid, reference lines with labels in the margins, legend.
/// Line and bar charts share it.
struct ChartFrame: Sendable {
  struct Label: Sendable {
    /// Height at which the labelled line leaves the plot.
    let y: Double
    let lines: [String]
  }

  let width: Double
  let title: [String]
  let xTitle: [String]
  let yTitle: String
  let yScale: AxisScale
  /// Plot area in pixels.
  let left: Double
  let right: Double
  let top: Double
  let bottom: Double

  static let rightLabelLimit = 130.0
  private static let edge = 14.0

  /// Leaves room for what stands around the plot.
  ///
  /// - Parameters:
  ///   - rightLabels: Texts right of the plot.
  ///   - topRows: Rows of labels between the title and the plot.
  init(
    width: Double, plotHeight: Double, title: String, xTitle: String, yTitle: String,
    yScale: AxisScale, rightLabels: [String], topRows: Int
  ) {
    self.width = width
    self.xTitle = TextMetrics.lines(
      xTitle, size: ChartStyle.axisTitleSize, limit: width - 2 * Self.edge)
    self.yTitle = yTitle
    self.yScale = yScale
    let titleLines = TextMetrics.lines(
      title, size: ChartStyle.titleSize * TextMetrics.bold, limit: width - 2 * Self.edge)
    self.title = titleLines
    let tickWidth = yScale.ticks.map {
      TextMetrics.width(yScale.label($0), size: ChartStyle.tickSize)
    }
    left = Self.edge + (yTitle.isEmpty ? 0 : 22) + (tickWidth.max() ?? 0) + 8
    let labelWidth = rightLabels.flatMap(Self.rightLabelLines).map {
      TextMetrics.width($0, size: ChartStyle.tickSize)
    }
    right = width - (labelWidth.max().map { $0 + 14 + Self.edge } ?? Self.edge + 6)
    let titleHeight = Double(titleLines.count) * ChartStyle.lineHeight(ChartStyle.titleSize)
    top = Self.edge + titleHeight + 8 + Double(topRows) * ChartStyle.lineHeight(ChartStyle.tickSize)
    bottom = top + plotHeight
  }

  static func rightLabelLines(_ text: String) -> [String] {
    TextMetrics.lines(text, size: ChartStyle.tickSize, limit: rightLabelLimit)
  }

  func y(_ value: Double) -> Double { bottom - yScale.share(value) * (bottom - top) }

  /// Title, horizontal grid and vertical axis; the horizontal axis has its ticks elsewhere.
  func drawBack(_ drawing: inout Drawing) {
    drawing.text(
      title, x: Self.edge, y: Self.edge + ChartStyle.titleSize - 2, size: ChartStyle.titleSize,
      isBold: true)
    for tick in yScale.ticks {
      let y = y(tick)
      drawing.line(from: (left, y), to: (right, y), colour: ChartStyle.grid)
      drawing.text(
        [yScale.label(tick)], x: left - 7, y: y + 4, anchor: .end, colour: ChartStyle.quiet)
    }
    if !yTitle.isEmpty {
      let limit = bottom - top + 40
      drawing.text(
        [TextMetrics.shortened(yTitle, size: ChartStyle.axisTitleSize, limit: limit)],
        x: Self.edge + 9, y: (top + bottom) / 2, size: ChartStyle.axisTitleSize, anchor: .middle,
        rotation: -90)
    }
  }

  func drawAxes(_ drawing: inout Drawing) {
    drawing.line(from: (left, top), to: (left, bottom), colour: ChartStyle.frame)
    drawing.line(from: (left, bottom), to: (right, bottom), colour: ChartStyle.frame)
  }

  /// The title of the horizontal axis, `offset` below the plot.
  func drawXTitle(_ drawing: inout Drawing, offset: Double) {
    let widest = xTitle.map { TextMetrics.width($0, size: ChartStyle.axisTitleSize) }.max() ?? 0
    let half = widest / 2 + Self.edge
    drawing.text(
      xTitle, x: max(half, min(width - half, (left + right) / 2)), y: bottom + offset,
      size: ChartStyle.axisTitleSize, anchor: .middle)
  }

  /// Height of the title of the horizontal axis with the gap above it; 0 without one.
  var xTitleHeight: Double {
    xTitle.isEmpty
      ? 0 : 3 + Double(xTitle.count) * ChartStyle.lineHeight(ChartStyle.axisTitleSize)
  }

  /// A dotted line across the plot.
  func drawReference(_ drawing: inout Drawing, at value: Double) {
    guard value >= yScale.low, value <= yScale.high else { return }
    drawing.line(
      from: (left, y(value)), to: (right, y(value)), colour: ChartStyle.quiet, width: 1.2,
      dash: "5 4")
  }

  /// Labels right of the plot, moved apart where their lines lie close, with leaders.
  func drawRightLabels(_ drawing: inout Drawing, _ labels: [Label]) {
    let lineHeight = ChartStyle.lineHeight(ChartStyle.tickSize)
    let sorted = labels.sorted { $0.y < $1.y }
    var tops: [Double] = []
    for label in sorted {
      let height = Double(label.lines.count) * lineHeight
      var place = min(max(label.y - height / 2, top - 6), bottom + 6 - height)
      if let last = tops.last {
        place = max(place, last + Double(sorted[tops.count - 1].lines.count) * lineHeight + 2)
      }
      tops.append(place)
    }
    // What was pushed out at the bottom goes back up, and pushes in turn.
    var limit = bottom + 8
    for index in sorted.indices.reversed() {
      let height = Double(sorted[index].lines.count) * lineHeight
      tops[index] = min(tops[index], limit - height)
      limit = tops[index] - 2
    }
    for (label, place) in zip(sorted, tops) {
      let middle = place + Double(label.lines.count) * lineHeight / 2
      drawing.line(
        from: (right, min(max(label.y, top), bottom)), to: (right + 9, middle),
        colour: ChartStyle.quiet, width: 0.8)
      drawing.text(
        label.lines, x: right + 12, y: place + lineHeight - 4, colour: ChartStyle.quiet)
    }
  }
}
