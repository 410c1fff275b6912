import Foundation

/// A picture under construction: shapes in pixels from the top left corner.
struct Drawing: Sendable {
  enum Anchor: String { case start, middle, end }

  private(set) var elements: [Markup] = []

  mutating func add(_ element: Markup) { elements.append(element) }

  mutating func line(
    from start: (x: Double, y: Double), to end: (x: Double, y: Double), colour: String,
    width: Double = 1, dash: String? = nil
  ) {
    var attributes = [
      (name: "x1", value: pixels(start.x)), (name: "y1", value: pixels(start.y)),
      (name: "x2", value: pixels(end.x)), (name: "y2", value: pixels(end.y)),
      (name: "stroke", value: colour), (name: "stroke-width", value: pixels(width)),
    ]
    if let dash { attributes.append((name: "stroke-dasharray", value: dash)) }
    add(.element("line", attributes: attributes))
  }

  mutating func polyline(
    _ points: [(x: Double, y: Double)], colour: String, width: Double, dash: String? = nil
  ) {
    var attributes = [
      (name: "points", value: Self.list(points)), (name: "fill", value: "none"),
      (name: "stroke", value: colour), (name: "stroke-width", value: pixels(width)),
      (name: "stroke-linejoin", value: "round"),
    ]
    if let dash { attributes.append((name: "stroke-dasharray", value: dash)) }
    add(.element("polyline", attributes: attributes))
  }

  mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: String, tooltip: String? = nil
  ) {
    add(
      .element(
        "rect",
        [
          "x": pixels(x), "y": pixels(y), "width": pixels(max(0, width)),
          "height": pixels(max(0, height)), "fill": fill,
        ], tooltip.map { [.element("title", [:], [.text($0)])] } ?? []))
  }

  /// Text on a baseline at `y`, or on several with `lineHeight` between them.
  mutating func text(
    _ lines: [String], x: Double, y: Double, size: Double = ChartStyle.tickSize,
    anchor: Anchor = .start, colour: String = ChartStyle.ink, isBold: Bool = false,
    rotation: Double = 0, hasHalo: Bool = false
  ) {
    for (index, line) in lines.enumerated() {
      let baseline = y + Double(index) * ChartStyle.lineHeight(size)
      var attributes = [
        (name: "x", value: pixels(x)), (name: "y", value: pixels(baseline)),
        (name: "fill", value: colour),
      ]
      // What is left out is said once for the whole picture, or is SVG's default.
      if size != ChartStyle.tickSize {
        attributes.append((name: "font-size", value: pixels(size)))
      }
      if anchor != .start { attributes.append((name: "text-anchor", value: anchor.rawValue)) }
      if isBold { attributes.append((name: "font-weight", value: "600")) }
      if rotation != 0 {
        attributes.append(
          (
            name: "transform",
            value: "rotate(\(pixels(rotation)) \(pixels(x)) \(pixels(baseline)))"
          ))
      }
      if hasHalo {
        // Keeps the text readable where it crosses a line.
        attributes += [
          (name: "stroke", value: ChartStyle.paper), (name: "stroke-width", value: "3"),
          (name: "paint-order", value: "stroke"),
        ]
      }
      add(.element("text", attributes: attributes, [.text(line)]))
    }
  }

  /// The elements that lie inside a rectangle, cut off at its edges. A nested picture does that
  /// without the identifiers that would clash between charts on one page.
  mutating func clipped(
    x: Double, y: Double, width: Double, height: Double, _ content: Drawing
  ) {
    add(
      .element(
        "svg",
        [
          "x": pixels(x), "y": pixels(y), "width": pixels(width), "height": pixels(height),
          "viewBox": "\(pixels(x)) \(pixels(y)) \(pixels(width)) \(pixels(height))",
          "overflow": "hidden",
        ], content.elements))
  }

  /// A whole picture on a light ground, for a file of its own or inline in HTML.
  func svg(width: Double, height: Double, label: String) -> String {
    let ground = Markup.element("rect", ["width": "100%", "height": "100%", "fill": "#ffffff"])
    return Markup.element(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "width": pixels(width), "height": pixels(height),
        "viewBox": "0 0 \(pixels(width)) \(pixels(height))", "role": "img", "aria-label": label,
        "font-family": ChartStyle.fonts, "font-size": pixels(ChartStyle.tickSize),
      ], [ground] + elements
    ).rendered
  }

  static func list(_ points: [(x: Double, y: Double)]) -> String {
    points.map { "\(pixels($0.x)),\(pixels($0.y))" }.joined(separator: " ")
  }
}

/// A coordinate with as many digits as can be seen.
func pixels(_ value: Double) -> String {
  let tenths = (value * 10).rounded() / 10
  if tenths == tenths.rounded() { return String(Int(tenths)) }
  return String(tenths)
}
