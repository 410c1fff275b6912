import TensorCore

/// Draws the cells of a `Heatmap`, with their numbers, marks and what the pointer shows.
struct HeatmapCells {
  let map: Heatmap
  let scale: ColourScale
  let range: ClosedRange<Double>
  /// Left top corner of the first cell, and the size of each, in pixels.
  let left: Double
  let top: Double
  let width: Double
  let height: Double

  /// Most cells that have an element with a title each, for pages and pictures without script.
  private static let titleLimit = 1024
  private static let missing = "#f0f0f0"

  var right: Double { left + width * Double(map.columns.count) }
  var bottom: Double { top + height * Double(map.rows.count) }

  func draw(_ drawing: inout Drawing) {
    drawing.add(area)
    if map.rows.count * map.columns.count <= Self.titleLimit {
      for row in map.rows.indices {
        for column in map.columns.indices { drawCell(&drawing, row, column) }
      }
    } else {
      drawMerged(&drawing)
    }
    drawCrosses(&drawing)
    let size = numberSize
    if let size {
      for row in map.rows.indices {
        for column in map.columns.indices { drawNumber(&drawing, row, column, size: size) }
      }
    }
    drawMarks(&drawing, besideNumbers: size != nil)
  }

  /// A hair of white between cells, unless they are tiny.
  private var gap: Double { min(width, height) > 10 ? 1 : 0 }

  private func corner(_ row: Int, _ column: Int) -> (x: Double, y: Double) {
    (left + Double(column) * width, top + Double(row) * height)
  }

  /// Lies below all cells and tells a script where they are and what they say. One text for all
  /// values is far shorter than an element each.
  private var area: Markup {
    let texts = map.rows.indices.flatMap { row in
      map.columns.indices.map { column in
        map.text(row, column).replacingNewlines
      }
    }
    let cells: JSONValue = [
      "rows": .array(map.rows.map { .string(Heatmap.place(map.yTitle, $0)) }),
      "columns": .array(map.columns.map { .string(Heatmap.place(map.xTitle, $0)) }),
      "texts": .string(texts.joined(separator: "\n")),
    ]
    return .element(
      "rect",
      [
        "x": pixels(left), "y": pixels(top), "width": pixels(max(0, right - left)),
        "height": pixels(max(0, bottom - top)), "fill": ChartStyle.paper, "data-cells": cells.text,
      ])
  }

  private func colour(_ value: Double) -> SIMD3<Double> {
    let span = range.upperBound - range.lowerBound
    return scale.colour(span > 0 ? (value - range.lowerBound) / span : 0.5)
  }

  private func fill(_ row: Int, _ column: Int) -> String {
    map.value(row, column).map { ColourScale.hexadecimal(colour($0)) } ?? Self.missing
  }

  private func drawCell(_ drawing: inout Drawing, _ row: Int, _ column: Int) {
    let (x, y) = corner(row, column)
    let place =
      "\(Heatmap.place(map.yTitle, map.rows[row])), "
      + Heatmap.place(map.xTitle, map.columns[column])
    drawing.rectangle(
      x: x, y: y, width: width - gap, height: height - gap, fill: fill(row, column),
      tooltip: "\(place): \(map.text(row, column))")
  }

  /// All cells of a colour as one path.
  private func drawMerged(_ drawing: inout Drawing) {
    var paths: [(fill: String, path: String)] = []
    var places: [String: Int] = [:]
    for row in map.rows.indices {
      for column in map.columns.indices {
        let fill = fill(row, column)
        let index = places[fill] ?? paths.count
        if index == paths.count {
          places[fill] = index
          paths.append((fill: fill, path: ""))
        }
        let (x, y) = corner(row, column)
        // A little overlap hides the seams between cells without a gap.
        let overlap = gap > 0 ? -gap : 0.3
        paths[index].path +=
          "M\(pixels(x)) \(pixels(y))h\(pixels(width + overlap))v\(pixels(height + overlap))"
          + "h\(pixels(-width - overlap))z"
      }
    }
    for path in paths { drawing.add(.element("path", ["fill": path.fill, "d": path.path])) }
  }

  /// Strokes through places without a cell.
  private func drawCrosses(_ drawing: inout Drawing) {
    var path = ""
    for row in map.rows.indices {
      for column in map.columns.indices where map.value(row, column) == nil {
        let (x, y) = corner(row, column)
        path +=
          "M\(pixels(x + width * 0.15)) \(pixels(y + height * 0.85))"
          + "L\(pixels(x + width * 0.85)) \(pixels(y + height * 0.15))"
      }
    }
    guard !path.isEmpty else { return }
    drawing.add(.element("path", ["stroke": "#b0b0b0", "fill": "none", "d": path]))
  }

  /// Size of the numbers in cells; nil where the widest does not fit, so that a map has all or none.
  private var numberSize: Double? {
    guard height >= 18 else { return nil }
    let texts = map.rows.indices.flatMap { row in
      map.columns.indices.compactMap { column in
        map.value(row, column).map { formatted($0, digits: map.digits) }
      }
    }
    return [11, 9].first { size in
      texts.allSatisfy { TextMetrics.width($0, size: size) <= width - 3 }
    }
  }

  private func drawNumber(_ drawing: inout Drawing, _ row: Int, _ column: Int, size: Double) {
    guard let value = map.value(row, column) else { return }
    let (x, y) = corner(row, column)
    drawing.text(
      [formatted(value, digits: map.digits)], x: x + (width - gap) / 2, y: y + height / 2 + 3.5,
      size: size, anchor: .middle, colour: ink(value))
  }

  /// Dots, in dark or white ink by what they lie on.
  private func drawMarks(_ drawing: inout Drawing, besideNumbers: Bool) {
    let radius = besideNumbers ? 2.2 : min(2.6, 0.3 * min(width, height))
    for ink in [ChartStyle.ink, ChartStyle.paper] {
      var path = ""
      for row in map.rows.indices {
        for column in map.columns.indices where map.isMarked(row, column) {
          guard let value = map.value(row, column), self.ink(value) == ink else { continue }
          let (x, y) = corner(row, column)
          let centre =
            besideNumbers
            ? (x: x + width - gap - 4.5, y: y + 4.5)
            : (x: x + (width - gap) / 2, y: y + (height - gap) / 2)
          path += "M\(pixels(centre.x)) \(pixels(centre.y))h0"
        }
      }
      guard !path.isEmpty else { continue }
      // Round ends make a dot of a line without length.
      drawing.add(
        .element(
          "path",
          [
            "stroke": ink, "stroke-width": pixels(2 * radius), "stroke-linecap": "round",
            "pointer-events": "none", "d": path,
          ]))
    }
  }

  private func ink(_ value: Double) -> String {
    ColourScale.wantsDarkText(colour(value)) ? ChartStyle.ink : ChartStyle.paper
  }
}

extension String {
  /// On one line: lines separate cells.
  fileprivate var replacingNewlines: String { String(map { $0.isNewline ? " " : $0 }) }
}
