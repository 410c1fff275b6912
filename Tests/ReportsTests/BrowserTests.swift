import Foundation
import Testing

@testable import Reports

/// Opens pages in headless Chromium, which must be installed; `make test` does it.
@Suite(.serialized) struct BrowserTests {
  private struct Value: Decodable {
    let figure: String
    let kind: String
    let shown: String
    let width: Int
  }

  /// What `Tests/check-page` prints of a page.
  private func check(_ html: String) throws -> (status: Int32, values: [Value], problems: String) {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("page-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let page = folder.appendingPathComponent("index.html")
    try Data(html.utf8).write(to: page)
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("check-page")
    let problems = folder.appendingPathComponent("problems.txt")
    try Data().write(to: problems)
    let process = Process()
    process.executableURL = script
    process.arguments = [page.path, "--values"]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: problems)
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    let text = try String(decoding: Data(contentsOf: problems), as: UTF8.self)
    let values = data.isEmpty ? [] : try JSONDecoder().decode([Value].self, from: data)
    return (process.terminationStatus, values, text)
  }

  @Test func everyFigureShowsItsValues() throws {
    let html = SamplePage.page.html
    if let path = ProcessInfo.processInfo.environment["SAMPLE_PAGE"] {
      try Data(html.utf8).write(to: URL(fileURLWithPath: path))
    }
    let result = try check(html)
    #expect(result.problems == "")
    #expect(result.status == 0)
    for width in [400, 1200] {
      let shown = { (figure: String) in
        result.values.filter { $0.figure == figure && $0.width == width }.map(\.shown)
      }
      // The first, one in the middle and the last of each, whose numbers are those of the data.
      let values = [(0, 0), (6, 8), (11, 15)].map {
        number(SamplePage.effect(layer: $0, position: $1), 3)
      }
      #expect(
        shown("figure-grid") == [
          "layer 0, position 0 Then: \(values[0]), p = 0.00",
          "layer 6, position 8 .: \(values[1]), p = 0.68",
          "layer 11, position 15 to: \(values[2]), p = 0.1115 ●",
        ])
      #expect(
        shown("figure-small") == [
          "donor antonyms, recipient antonyms: 0.920",
          "donor capitals, recipient colours: no value",
          "donor colours, recipient plural: no value",
        ])
      let bar = try #require(SamplePage.shares.bars.first)
      let interval = [bar.low, bar.high].compactMap { $0 }.map { number($0, 3) }
      #expect(
        shown("figure-shares").first
          == "1: \(number(bar.value, 3)) [\(interval.joined(separator: ", "))]")
      let point = SamplePage.doses.series[0].points[0]
      let ends = [point.low, point.high].compactMap { $0 }.map { number($0, 3) }
      #expect(
        shown("figure-doses").first
          == "measured, demonstrations patched 0: \(number(point.y, 3)) "
          + "[\(ends.joined(separator: ", "))]")
      #expect(shown("a prompt").first == "0: BOS")
      #expect(Set(result.values.map(\.kind)) == ["cell", "mark", "token"])
    }
  }

  private func number(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value).replacingOccurrences(of: "-", with: "−")
  }

  @Test func theCheckFindsFaults() throws {
    let overlapping = """
      <svg xmlns="http://www.w3.org/2000/svg" width="120" height="60"><text x="10" y="20">long words</text>
      <text x="20" y="24">others</text><text x="100" y="50">beyond the edge</text></svg>
      """
    let figure = Figure(
      name: "bad", svg: overlapping, csv: CSV(header: [], rows: []), caption: "See [x](#nowhere).")
    var page = HTMLPage(title: "t", blocks: [.figure(figure)])
    page.add(.figure(Figure(name: "bars", chart: SamplePage.shares, caption: "")))
    let script = "<script>setTimeout(() => undefined.x, 1);</script>"
    let wide = "<div style=\"width: 2000px\">wide</div>"
    let html = page.html
      .replacingOccurrences(of: "<main>", with: script + "<main>" + wide)
      .replacingOccurrences(of: "tip.textContent = text", with: "tip.textContent = \"\"")
    let result = try check(html)
    #expect(result.status == 1)
    for part in [
      "“long words” and “others” overlap", "“beyond the edge” leaves the picture",
      "#nowhere leads nowhere", "scrolls sideways", "TypeError", "shows nothing",
    ] {
      #expect(result.problems.contains(part), "\(part) is not in: \(result.problems)")
    }
  }
}
