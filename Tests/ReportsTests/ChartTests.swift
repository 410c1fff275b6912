import Foundation
import Testing

@testable import Reports

@Suite struct ChartTests {
  static let all: [any Chart] = [
    SamplePage.layers, SamplePage.doses, SamplePage.shares, SamplePage.heads, SamplePage.small,
    SamplePage.grid, SamplePage.largest, SamplePage.low, SamplePage.manyBars,
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
    #expect(chart.title.split(separator: " ").allSatisfy(xml.text.contains))
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
        title: "", xTitle: "", yTitle: "", columns: values.indices.map { "\($0)" }, rows: ["a"],
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
      title: "t", xTitle: "", yTitle: "", columns: ["c", "d"], rows: ["r", "s"],
      values: [[.nan, 1]])
    #expect(XML(map.svg).text.contains("r, c: no value"))
    #expect(map.table.text == "row,column,value\nr,c,\nr,d,1\ns,c,\ns,d,\n")
    let none = Heatmap(title: "", xTitle: "", yTitle: "", columns: [], rows: [], values: [])
    #expect(XML(none.svg).isWellFormed)
  }

  @Test func aHeatmapTellsMarksAndNotes() {
    let map = Heatmap(
      title: "t", xTitle: "head, of all", yTitle: "layer", columns: ["0", "1"], rows: ["0"],
      values: [[0.5, -2]],
      intervals: [[Interval(estimate: 0.5, low: 0.25, high: 1, level: 0.95), nil]],
      marks: [[true, false]], markNote: "survives <Holm>", range: -1...0.5,
      notes: [["p = 0.001", ""]])
    #expect(
      map.table.text
        == "row,column,value,low,high,mark,note\n0,0,0.5,0.25,1,true,p = 0.001\n0,1,-2,,,false,\n")
    let xml = XML(map.svg)
    #expect(xml.text.contains("layer 0, head 0: 0.500 [0.250, 1.000], p = 0.001 ●"))
    #expect(xml.text.contains("layer 0, head 1: −2.000"))
    #expect(xml.text.contains("● survives <Holm>"))
    #expect(xml.text.contains("Values beyond the scale"))
    #expect(xml.values("stroke-linecap").count == 1)
    // Around 0 whatever range is asked for: −1…1, of which 0.5 is three quarters.
    let share = ColourScale.hexadecimal(ColourScale.diverging.colour(0.75))
    #expect(xml.values("fill").contains(share) && xml.values("fill").contains("#054078"))
  }

  @Test func largeHeatmapsStaySmallFiles() throws {
    let svg = SamplePage.largest.svg
    #expect(svg.utf8.count < 450_000)
    let data = try #require(XML(svg).values("data-cells").first)
    let parsed = try #require(
      JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any])
    #expect((parsed["rows"] as? [String])?.count == 64)
    #expect((parsed["columns"] as? [String])?.last == "position 127 to")
    #expect((parsed["texts"] as? String)?.split(separator: "\n").count == 64 * 128)
    #expect(XML(svg).count("title") == 0)
  }
}
