import Foundation
import Testing

@testable import Reports

@Suite struct ChartTests {
  static let all: [any Chart] = [
    SamplePage.layers, SamplePage.doses, SamplePage.shares, SamplePage.heads, SamplePage.small,
  ]

  @Test(arguments: all.indices)
  func areWellFormedPictures(index: Int) throws {
    let chart = Self.all[index]
    let xml = XML(chart.svg)
    #expect(xml.isWellFormed)
    let root = try #require(xml.elements.first)
    #expect(root.name == "svg")
    #expect(root.attributes["xmlns"] == "http://www.w3.org/2000/svg")
    #expect(root.attributes["role"] == "img")
    #expect(root.attributes["aria-label"] == chart.title)
    #expect(xml.text.contains(chart.title))
    #expect(!chart.svg.contains("nan") && !chart.svg.contains("inf"))
    // Identifiers would clash between charts on one page.
    #expect(xml.values("id").isEmpty)
    #expect(xml.values("font-size").compactMap(Double.init).allSatisfy { $0 >= 11 })
  }

  @Test(arguments: all.indices)
  func keepTextInsideThePicture(index: Int) throws {
    let xml = XML(Self.all[index].svg)
    let root = try #require(xml.elements.first)
    let width = try #require(root.attributes["width"].flatMap(Double.init))
    let height = try #require(root.attributes["height"].flatMap(Double.init))
    for element in xml.elements where element.name == "text" {
      let x = try #require(element.attributes["x"].flatMap(Double.init))
      let y = try #require(element.attributes["y"].flatMap(Double.init))
      #expect(x >= 0 && x <= width && y >= 0 && y <= height)
    }
  }

  @Test func numbersOfAHeatmapAreShownAllOrNone() {
    func numbers(_ values: [Double], width: Double) -> Int {
      var map = Heatmap(
        title: "", xTitle: "", yTitle: "", rows: ["a"], columns: values.indices.map { "\($0)" },
        values: [values])
      map.width = width
      return map.svg.components(separatedBy: ">0.25</text>").count - 1
        + map.svg.components(separatedBy: ">−0.25</text>").count - 1
    }
    let values = (0..<20).map { $0 % 2 == 0 ? 0.25 : -0.25 }
    #expect(numbers(values, width: 1400) == 20)
    #expect(numbers(values, width: 500) == 0)
  }

  @Test func linesHaveAMarkerAndATooltipAPoint() {
    let xml = XML(SamplePage.layers.svg)
    #expect(xml.count("title") == 90)
    #expect(xml.text.contains("arrow of the query, layer 0: "))
    #expect(xml.count("polyline") == 3)
    #expect(Set(xml.values("stroke-dasharray")).count >= 3)
  }

  /// Colours come again after six.
  @Test func seriesAreToldApart() {
    let looks = (0..<24).map { series in
      let marker = ChartStyle.marker(series, x: 0, y: 0, tooltip: nil)
      return "\(ChartStyle.colour(series)) \(ChartStyle.dash(series) ?? "") \(marker)"
    }
    #expect(Set(looks).count == looks.count)
    let withoutColour = (0..<6).map { ChartStyle.dash($0) ?? "" }
    #expect(Set(withoutColour).count == 6)
  }

  @Test func missingNumbersLeaveGaps() {
    var chart = LineChart(
      title: "t", xTitle: "x", yTitle: "y",
      series: [
        .init(
          name: "s",
          points: [
            .init(x: 0, y: 0, low: -1, high: 1), .init(x: 1, y: 1, low: .nan, high: 2),
            .init(x: 2, y: .nan), .init(x: 3, y: 1), .init(x: 4, y: .infinity),
            .init(x: 5, y: 2), .init(x: 6, y: 3), .init(x: .nan, y: 1),
          ])
      ], horizontalLines: [.init(y: .nan, label: "nowhere")],
      verticalLines: [.init(x: .infinity, label: "nowhere")],
      straightLines: [.init(start: (0, .nan), end: (1, 1), label: "none")])
    let xml = XML(chart.svg)
    #expect(xml.isWellFormed)
    // Points 0–1 and 5–6 are joined; point 3 stands alone.
    #expect(xml.count("polyline") == 2)
    #expect(xml.count("title") == 5)
    #expect(!chart.svg.contains("nan") && !chart.svg.contains("inf"))
    #expect(chart.table.rows[2] == ["s", "2", "", "", ""])

    chart.series = []
    #expect(XML(chart.svg).isWellFormed)
    chart.series = [.init(name: "s", points: [.init(x: 3, y: 3)])]
    #expect(XML(chart.svg).isWellFormed)
  }

  @Test func wideIntervalsDoNotFlattenTheLine() throws {
    let chart = LineChart(
      title: "t", xTitle: "x", yTitle: "y",
      series: [
        .init(
          name: "s",
          points: (0..<5).map { .init(x: Double($0), y: Double($0), low: -1e6, high: 1e6) })
      ])
    let ys = XML(chart.svg).elements.filter { $0.name == "circle" }
      .compactMap { $0.attributes["cy"].flatMap(Double.init) }
    let low = try #require(ys.min())
    let high = try #require(ys.max())
    #expect(high - low > 50)
  }

  @Test func aGivenRangeCutsOff() {
    var chart = SamplePage.doses
    chart.yRange = 0...0.5
    let xml = XML(chart.svg)
    #expect(xml.isWellFormed)
    #expect(xml.count("title") < 13)
    #expect(!xml.text.contains("0.6"))
  }

  @Test func escapesNames() {
    let chart = LineChart(
      title: "a < b & \"c\"", xTitle: "<x>", yTitle: "'y'\u{1}",
      series: [
        .init(name: "<script>", points: [.init(x: 0, y: 1), .init(x: 1, y: 2)]),
        .init(name: "]]>", points: []),
      ])
    let xml = XML(chart.svg)
    #expect(xml.isWellFormed)
    #expect(xml.count("script") == 0)
    #expect(xml.text.contains("<script>"))
    #expect(xml.text.contains("'y'\u{FFFD}"))
  }

  @Test func barsAndMapsTakeOddData() {
    let bars = BarChart(
      title: "t", xTitle: "", yTitle: "",
      bars: [
        .init(label: "a rather long label that must be slanted", value: .nan),
        .init(label: "b", value: -2, low: .nan, high: 1),
      ])
    #expect(XML(bars.svg).isWellFormed)
    #expect(!bars.svg.contains("nan"))
    #expect(XML(BarChart(title: "", xTitle: "", yTitle: "", bars: []).svg).isWellFormed)
    let map = Heatmap(
      title: "t", xTitle: "", yTitle: "", rows: ["r", "s"], columns: ["c", "d"],
      values: [[.nan, 1]], scale: .diverging(middle: 0))
    #expect(XML(map.svg).text.contains("r, c: missing"))
    #expect(map.table.text == "row,column,value\nr,c,\nr,d,1\ns,c,\ns,d,\n")
    let none = Heatmap(title: "", xTitle: "", yTitle: "", rows: [], columns: [], values: [])
    #expect(XML(none.svg).isWellFormed)
  }
}
