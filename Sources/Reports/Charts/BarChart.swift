/// Bars with intervals, such as the share of every demonstration.
public struct BarChart: Chart {
  public struct Bar: Sendable {
    public var label: String
    public var value: Double
    /// Ends of the interval around `value`.
    public var low: Double?
    public var high: Double?

    public init(label: String, value: Double, low: Double? = nil, high: Double? = nil) {
      self.label = label
      self.value = value
      self.low = low
      self.high = high
    }
  }

  public var title: String
  public var xTitle: String
  public var yTitle: String
  public var bars: [Bar]
  public var referenceLine: LineChart.HorizontalLine?
  /// Digits of the numbers above the bars.
  public var digits: Int
  /// What the whiskers are, told below the plot.
  public var intervalNote: String?
  /// Width of the picture and height of the plot, in pixels.
  public var width: Double
  public var plotHeight: Double

  public init(
    title: String, xTitle: String, yTitle: String, bars: [Bar],
    referenceLine: LineChart.HorizontalLine? = nil, digits: Int = 2, intervalNote: String? = nil,
    width: Double = 760, plotHeight: Double = 260
  ) {
    self.title = title
    self.xTitle = xTitle
    self.yTitle = yTitle
    self.bars = bars
    self.referenceLine = referenceLine
    self.digits = digits
    self.intervalNote = intervalNote
    self.width = width
    self.plotHeight = plotHeight
  }

  public var table: CSV {
    CSV(
      header: ["label", "value", "low", "high"],
      rows: bars.map { [$0.label] + [$0.value, $0.low, $0.high].map(CSV.number) })
  }

  public var svg: String {
    let frame = frame
    var drawing = Drawing()
    frame.drawBack(&drawing)
    let slot = (frame.right - frame.left) / Double(max(1, bars.count))
    for (index, bar) in bars.enumerated() where bar.value.isFinite {
      draw(&drawing, bar, frame, x: frame.left + (Double(index) + 0.5) * slot, slot: slot)
    }
    drawing.line(
      from: (frame.left, frame.y(0)), to: (frame.right, frame.y(0)), colour: ChartStyle.frame)
    frame.drawAxes(&drawing)
    if let line = referenceLine, line.y.isFinite {
      frame.drawReference(&drawing, at: line.y)
      let lines = ChartFrame.rightLabelLines(line.label)
      frame.drawRightLabels(&drawing, [ChartFrame.Label(y: frame.y(line.y), lines: lines)])
    }
    for (index, bar) in bars.enumerated() where bar.value.isFinite && slot >= 34 {
      // Numbers come last, so that no line crosses them.
      let x = frame.left + (Double(index) + 0.5) * slot
      let ends = [bar.value, bar.low, bar.high].compactMap { $0 }.filter(\.isFinite)
      let y =
        bar.value < 0
        ? frame.y(ends.min() ?? bar.value) + 14 : frame.y(ends.max() ?? bar.value) - 5
      drawing.text(
        [formatted(bar.value, digits: digits)], x: x, y: y, anchor: .middle, hasHalo: true)
    }
    let labels = ColumnLabels(
      bars.map(\.label), slot: slot, left: frame.left, top: frame.bottom + 6)
    labels.draw(&drawing)
    let titleOffset = labels.height + 22
    frame.drawXTitle(&drawing, offset: titleOffset)
    var height = frame.bottom + titleOffset - 6 + frame.xTitleHeight
    if let intervalNote {
      let lines = TextMetrics.lines(intervalNote, size: 12, limit: width - frame.left - 14)
      drawing.text(lines, x: frame.left, y: height + 10, size: 12, colour: ChartStyle.quiet)
      height += 5 + Double(lines.count) * ChartStyle.lineHeight(12)
    }
    return drawing.svg(width: width, height: height, label: title)
  }

  private var frame: ChartFrame {
    let ends = bars.flatMap { bar in [bar.value, bar.low ?? .nan, bar.high ?? .nan] }
    let finite = ([0, referenceLine?.y ?? .nan] + ends).filter(\.isFinite)
    let low = finite.min() ?? 0
    let high = finite.max() ?? 0
    // Room for the numbers beyond the whiskers.
    let room = (high - low) * 0.09
    let scale = AxisScale(
      over: [low < 0 ? low - room : low, high > 0 ? high + room : high], count: 5)
    return ChartFrame(
      width: width, plotHeight: plotHeight, title: title, xTitle: xTitle, yTitle: yTitle,
      yScale: scale, rightLabels: referenceLine.map { [$0.label] } ?? [], topRows: 0)
  }

  private func draw(
    _ drawing: inout Drawing, _ bar: Bar, _ frame: ChartFrame, x: Double, slot: Double
  ) {
    let width = min(slot * 0.68, 60)
    let ends = [frame.y(0), frame.y(bar.value)].sorted()
    let text = formattedInterval(bar.value, bar.low, bar.high, digits: digits + 1)
    drawing.rectangle(
      x: x - width / 2, y: ends[0], width: width, height: ends[1] - ends[0], fill: "#5a9bc7",
      tooltip: "\(bar.label): \(text)")
    guard let low = bar.low, let high = bar.high, low.isFinite, high.isFinite else { return }
    let cap = min(width / 4, 6)
    let upper = frame.y(high)
    let lower = frame.y(low)
    drawing.line(from: (x, upper), to: (x, lower), colour: ChartStyle.ink, width: 1.4)
    for y in [upper, lower] {
      drawing.line(from: (x - cap, y), to: (x + cap, y), colour: ChartStyle.ink, width: 1.4)
    }
  }
}
