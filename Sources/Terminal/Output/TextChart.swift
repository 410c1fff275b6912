import Foundation

/// A small line chart as text. Every series has its own marker, so that it reads without colours.
public struct TextChart: Sendable {
  public struct Series: Sendable {
    public var name: String
    /// Points in rising x; those with a missing (not finite) number leave a gap.
    public var points: [(x: Double, y: Double)]

    public init(name: String, points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
    }

    /// Values at x = 0, 1, 2, …
    public init(name: String, values: [Double]) {
      self.init(name: name, points: values.enumerated().map { (Double($0), $1) })
    }
  }

  public var title: String
  public var xTitle: String
  public var series: [Series]
  /// Value of a dotted line across the chart, such as 0 or chance.
  public var reference: Double?
  /// Rows of the plot, without title, labels and legend.
  public var height: Int

  public init(
    title: String, xTitle: String = "", series: [Series], reference: Double? = nil,
    height: Int = 12
  ) {
    self.title = title
    self.xTitle = xTitle
    self.series = series
    self.reference = reference
    self.height = height
  }

  /// The chart in lines of at most `width` columns.
  public func text(
    width: Int = 80, usesUnicode: Bool = true, style: TextStyle = .plain
  ) -> String {
    let points = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    let heading = TextWrapping.lines(title, width: width).map { style.bold($0) + "\n" }.joined()
    let xs = points.map(\.x)
    guard let left = xs.min(), let right = xs.max() else { return heading + "(no data)\n" }
    let ys = points.map(\.y) + (reference.map { [$0] } ?? [])
    let axis = ValueAxis(covering: ys, rows: max(3, height), usesUnicode: usesUnicode)
    let labelWidth = axis.labels.values.map(\.count).max() ?? 1
    let columns = plotColumns(from: left, to: right, room: max(4, width - labelWidth - 3))
    var grid = CharacterGrid(
      columns: columns, axis: axis, left: left, right: right, usesUnicode: usesUnicode)
    if let reference { grid.draw(reference: reference) }
    for (index, series) in series.enumerated() { grid.drawLines(of: series, index: index) }
    for (index, series) in series.enumerated() { grid.drawMarkers(of: series, index: index) }

    var lines: [String] = []
    for row in 0..<axis.rows {
      let label = TextWidth.padded(axis.labels[row] ?? "", to: labelWidth, right: true)
      let border = usesUnicode ? (axis.labels[row] == nil ? "│" : "┤") : "|"
      lines.append(style.dim("\(label) \(border)") + grid.line(row, style: style))
    }
    let margin = String(repeating: " ", count: labelWidth + 1)
    let base = usesUnicode ? "└" + String(repeating: "─", count: columns) : "+"
    lines.append(style.dim(margin + (usesUnicode ? base : base + dashes(columns))))
    let labels = grid.xLabels()
    let isTogether = TextWidth.columns(margin + " " + labels + "  " + xTitle) <= width
    lines.append(style.dim("\(margin) \(labels)\(isTogether ? "  \(xTitle)" : "")"))
    let room = max(8, width - labelWidth - 2)
    if !isTogether {
      lines += TextWrapping.lines(xTitle, width: room).map { style.dim("\(margin) \($0)") }
    }
    lines += grid.legend(of: series.map(\.name), width: room, style: style).map {
      margin + " " + $0
    }
    return heading + lines.map { $0 + "\n" }.joined()
  }

  private func dashes(_ count: Int) -> String { String(repeating: "-", count: count) }

  /// As many columns a point as fit, so that whole steps of x fall on whole columns.
  private func plotColumns(from left: Double, to right: Double, room: Int) -> Int {
    let steps = right - left
    guard steps >= 1, steps <= Double(room - 1), steps == steps.rounded() else {
      return min(room, 60)
    }
    let each = min((room - 1) / Int(steps), max(2, 40 / Int(steps)))
    return Int(steps) * each + 1
  }
}

/// The vertical axis: round numbers at both ends.
private struct ValueAxis {
  let low: Double
  let high: Double
  let rows: Int
  /// Labels by row, counted from the top.
  var labels: [Int: String] = [:]

  init(covering values: [Double], rows: Int, usesUnicode: Bool) {
    self.rows = rows
    let smallest = values.min() ?? 0
    let largest = values.max() ?? 1
    let span = largest > smallest ? largest - smallest : max(abs(largest), 1)
    let step = Self.roundStep(span / Double(max(2, rows / 3)))
    var first = (smallest / step).rounded(.down)
    var last = (largest / step).rounded(.up)
    if first == last {
      first -= 1
      last += 1
    }
    low = first * step
    high = last * step
    let digits = max(0, Int(-log10(step).rounded(.down)))
    // Labels stand where the row's own value is, to half a row.
    for tick in 0...Int(last - first) {
      let value = (first + Double(tick)) * step
      labels[row(of: value)] = TextNumber.signed(
        String(format: "%.\(min(digits, 12))f", value == 0 ? 0 : value), usesUnicode: usesUnicode)
    }
  }

  func row(of value: Double) -> Int {
    let share = (high - value) / (high - low)
    return min(rows - 1, max(0, Int((share * Double(rows - 1)).rounded())))
  }

  /// 1, 2 or 5 times a power of ten, at least `step`.
  static func roundStep(_ step: Double) -> Double {
    let power = pow(10, log10(step).rounded(.down))
    let factor = [1, 2, 5, 10].first { $0 * power >= step * 0.999 } ?? 10
    return factor * power
  }
}

/// The plot area, one character a cell.
private struct CharacterGrid {
  private enum Cell {
    case empty
    case reference
    case line(Int)
    case marker(Int)
    case several
  }

  let columns: Int
  let axis: ValueAxis
  let left: Double
  let right: Double
  let usesUnicode: Bool
  private var cells: [[Cell]]
  private var hasCollisions = false

  init(columns: Int, axis: ValueAxis, left: Double, right: Double, usesUnicode: Bool) {
    self.columns = columns
    self.axis = axis
    self.left = left
    self.right = right
    self.usesUnicode = usesUnicode
    cells = Array(repeating: Array(repeating: .empty, count: columns), count: axis.rows)
  }

  private var markers: [String] {
    usesUnicode ? ["●", "○", "▲", "△", "■", "□"] : ["*", "o", "x", "+", "@", "%"]
  }
  private var severalSign: String { usesUnicode ? "◆" : "#" }
  private static let colours: [TextStyle.Colour] = [.cyan, .yellow, .magenta, .green, .blue, .red]

  private func column(of x: Double) -> Int {
    guard right > left else { return columns / 2 }
    return Int(((x - left) / (right - left) * Double(columns - 1)).rounded())
  }

  mutating func draw(reference: Double) {
    let row = axis.row(of: reference)
    for column in 0..<columns { cells[row][column] = .reference }
  }

  mutating func drawLines(of series: TextChart.Series, index: Int) {
    for (from, to) in zip(series.points, series.points.dropFirst()) {
      guard [from.x, from.y, to.x, to.y].allSatisfy(\.isFinite) else { continue }
      let start = column(of: from.x)
      let end = column(of: to.x)
      guard end - start >= 2 else { continue }
      for column in (start + 1)..<end {
        let share = Double(column - start) / Double(end - start)
        let row = axis.row(of: from.y + (to.y - from.y) * share)
        cells[row][column] = .line(index)
      }
    }
  }

  mutating func drawMarkers(of series: TextChart.Series, index: Int) {
    for point in series.points where point.x.isFinite && point.y.isFinite {
      let row = axis.row(of: point.y)
      let column = column(of: point.x)
      if case .marker(let other) = cells[row][column], other != index {
        cells[row][column] = .several
        hasCollisions = true
      } else if case .several = cells[row][column] {
        continue
      } else {
        cells[row][column] = .marker(index)
      }
    }
  }

  func line(_ row: Int, style: TextStyle) -> String {
    let text = cells[row].map { cell in
      switch cell {
      case .empty: " "
      case .reference: style.dim(usesUnicode ? "┄" : "-")
      case .line(let index): coloured(usesUnicode ? "·" : ".", index, style)
      case .marker(let index): coloured(markers[index % markers.count], index, style)
      case .several: style.bold(severalSign)
      }
    }.joined()
    return TextWidth.trimmedRight(text)
  }

  private func coloured(_ text: String, _ index: Int, _ style: TextStyle) -> String {
    style.colour(text, Self.colours[index % Self.colours.count])
  }

  /// Round numbers below their columns, none beyond the last column.
  func xLabels() -> String {
    var text = [Character](repeating: " ", count: columns + 1)
    let step = right > left ? ValueAxis.roundStep((right - left) / 6) : 1
    var taken = -2
    for tick in stride(from: (left / step).rounded(.up) * step, through: right, by: step) {
      let label = TextNumber.signed(
        tick == tick.rounded() && abs(tick) < 1e15
          ? String(Int(tick)) : String(format: "%g", tick), usesUnicode: usesUnicode)
      let start = min(max(0, column(of: tick) - label.count / 2), text.count - label.count)
      guard start > taken + 1 else { continue }
      for (offset, letter) in label.enumerated() { text[start + offset] = letter }
      taken = start + label.count
    }
    return TextWidth.trimmedRight(String(text))
  }

  /// Markers and names in lines of at most `width` columns; a name goes on below itself.
  func legend(of names: [String], width: Int, style: TextStyle) -> [String] {
    var entries = names.enumerated().map { index, name in
      (sign: coloured(markers[index % markers.count], index, style), name: name)
    }
    if hasCollisions { entries.append((sign: style.bold(severalSign), name: "several")) }
    var lines: [String] = []
    for entry in entries {
      let parts = TextWrapping.lines(entry.name, width: width - 2)
      let first = "\(entry.sign) \(parts.first ?? "")"
      if let last = lines.last, parts.count <= 1,
        TextWidth.columns(last) + 1 + TextWidth.columns(first) <= width
      {
        lines[lines.count - 1] += " " + first
      } else {
        lines.append(first)
        lines += parts.dropFirst().map { "  " + $0 }
      }
    }
    return lines
  }
}
