/// The looks that all charts share.
enum ChartStyle {
  static let fonts =
    "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif"
  static let titleSize = 15.0
  static let axisTitleSize = 12.5
  static let tickSize = 11.5

  static let paper = "#ffffff"
  static let ink = "#1f2328"
  static let quiet = "#57606a"
  static let frame = "#8c959f"
  static let grid = "#e4e7eb"

  static func lineHeight(_ size: Double) -> Double { (size * 1.28).rounded() }

  /// Colours that people with any colour vision tell apart, after Okabe and Ito, darkened to a
  /// contrast of at least 3 : 1 on white.
  static let palette = ["#0072b2", "#d55e00", "#007f5f", "#a8498a", "#8a6d00", "#4d4d4d"]

  /// Line patterns in step with the colours, so that series differ in greyscale too.
  static let dashes: [String?] = [nil, "7 4", "2 3", "11 3 2 3", "4 2", "9 3 2 3 2 3"]

  static func colour(_ series: Int) -> String { palette[series % palette.count] }
  static func dash(_ series: Int) -> String? { dashes[look(series) % dashes.count] }

  /// Which pattern and marker a series has: where the colours begin again, others go with them.
  private static func look(_ series: Int) -> Int { series + series / palette.count }

  /// Markers of a series, with what all of them have in common.
  static func markers(_ series: Int, _ markers: [Markup]) -> Markup {
    .element(
      "g", ["fill": colour(series), "stroke": paper, "stroke-width": "0.8"], markers)
  }

  /// The shape of a series' marker, about 7 pixels across.
  static func marker(_ series: Int, x: Double, y: Double, tooltip: String? = nil) -> Markup {
    let children = tooltip.map { [Markup.element("title", [:], [.text($0)])] } ?? []
    guard let corners = markerCorners[look(series) % markerCorners.count] else {
      let place = [
        (name: "cx", value: pixels(x)), (name: "cy", value: pixels(y)), (name: "r", value: "3.6"),
      ]
      return .element("circle", attributes: place, children)
    }
    let points = Drawing.list(corners.map { (x: x + $0.0, y: y + $0.1) })
    return .element("polygon", attributes: [(name: "points", value: points)], children)
  }

  /// Nil is a circle.
  private static let markerCorners: [[(Double, Double)]?] = [
    nil,
    [(-3.3, -3.3), (3.3, -3.3), (3.3, 3.3), (-3.3, 3.3)],
    [(0, -4.4), (4.2, 3.2), (-4.2, 3.2)],
    [(0, -4.8), (4.8, 0), (0, 4.8), (-4.8, 0)],
    [(0, 4.4), (4.2, -3.2), (-4.2, -3.2)],
    [
      (-1.4, -4.4), (1.4, -4.4), (1.4, -1.4), (4.4, -1.4), (4.4, 1.4), (1.4, 1.4), (1.4, 4.4),
      (-1.4, 4.4), (-1.4, 1.4), (-4.4, 1.4), (-4.4, -1.4), (-1.4, -1.4),
    ],
  ]
}
