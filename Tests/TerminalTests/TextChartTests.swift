import Foundation
import Testing

@testable import Terminal

@Suite struct TextChartTests {
  private let chart = TextChart(
    title: "Effect by layer", xTitle: "layer",
    series: [
      .init(name: "rising", values: [0, 0.25, 0.5, 0.75, 1]),
      .init(name: "missing", values: [1, .nan, 0.5, 0.25, .infinity]),
    ], reference: 0, height: 5)

  @Test func drawsLines() {
    #expect(
      chart.text(width: 60) == """
        Effect by layer
        1.0 ┤○                                   ····●
            │                          ····●·····
        0.5 ┤                ····◆·····
            │      ····●·····         ·····○
        0.0 ┤●·····┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄
            └─────────────────────────────────────────
             0         1         2         3         4  layer
             ● rising ○ missing ◆ several

        """)
  }

  @Test func usesPlainLetters() {
    let text = chart.text(width: 60, usesUnicode: false)
    #expect(text.utf8.allSatisfy { $0 < 0x80 })
    #expect(text.contains("o missing"))
  }

  @Test func writesOneMinusSign() {
    let chart = TextChart(
      title: "", xTitle: "", series: [.init(name: "a", points: [(x: -2, y: -1), (x: 2, y: 1)])],
      height: 5)
    let text = chart.text(width: 40)
    #expect(text.contains("−1") && text.contains("−2") && !text.contains("-"), "\(text)")
    #expect(chart.text(width: 40, usesUnicode: false).contains("-1"))
  }

  @Test(arguments: [20, 40, 80, 200])
  func keepsWithinItsWidth(width: Int) {
    let many = TextChart(
      title: "", xTitle: "layer",
      series: (0..<4).map { index in
        .init(name: "series \(index)", values: (0..<30).map { sin(Double($0 + index * 3) / 5) })
      })
    let text = many.text(width: width)
    #expect(text.split(separator: "\n").allSatisfy { TextWidth.columns(String($0)) <= width })
  }

  @Test func longNamesStayWhole() {
    let long = TextChart(
      title: "answers-of-all-demonstrations: recovery of the logit difference by layer",
      xTitle: "layer whose residual stream is patched, counted from 0",
      series: [
        .init(name: "the labels of all of the demonstrations", values: (0..<30).map { Double($0) }),
        .init(name: "the labels of all of the other prompts", values: (0..<30).map { -Double($0) }),
      ])
    let text = long.text(width: 40)
    for line in text.split(separator: "\n") { #expect(TextWidth.columns(String(line)) <= 40) }
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(
      words.contains("answers-of-all-demonstrations: recovery of the logit difference by layer"))
    #expect(words.contains("layer whose residual stream is patched, counted from 0"))
    #expect(words.contains("● the labels of all of the demonstrations"))
    #expect(words.contains("○ the labels of all of the other prompts"))
  }

  @Test func survivesOddData() {
    #expect(TextChart(title: "t", series: []).text() == "t\n(no data)\n")
    let single = TextChart(title: "", series: [.init(name: "one", values: [3])]).text()
    #expect(single.contains("●"))
    let tiny = TextChart(title: "", series: [.init(name: "s", values: [1e-9, 2e-9, 1e-9])])
    #expect(tiny.text().contains("0.0000000010"))
  }
}
