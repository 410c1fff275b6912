import Testing

@testable import Reports

@Suite struct CSVTests {
  @Test func quotesWhatNeedsIt() {
    let table = CSV(
      header: ["a", "b"],
      rows: [["plain", "with, comma"], ["with \"quotes\"", "two\nlines"], [" edge", "cr\r\nlf"]])
    #expect(
      table.text == "a,b\nplain,\"with, comma\"\n\"with \"\"quotes\"\"\",\"two\nlines\"\n"
        + "\" edge\",\"cr\r\nlf\"\n")
  }

  @Test func numbersReadBack() {
    for value: Double in [0.1, 1 / 3, -2.5e-9, 12, 1e22] {
      #expect(Double(CSV.number(value)) == value)
    }
    #expect(CSV.number(12) == "12")
    #expect(CSV.number(nil) == "" && CSV.number(.nan) == "")
    #expect(CSV.number(-.infinity) == "-inf")
  }
}

@Suite struct NumberTextTests {
  @Test func fixesDigits() {
    #expect(formatted(0.8123, digits: 2) == "0.81")
    #expect(formatted(-0.8123, digits: 2) == "−0.81")
    #expect(formatted(-0.001, digits: 2) == "0.00")
    #expect(formatted(12, digits: 0) == "12")
    #expect(formatted(.nan, digits: 2) == "–")
    #expect(formatted(-.infinity, digits: 2) == "−∞")
  }

  @Test func signsChanges() {
    #expect(formattedSigned(0.12345, digits: 3) == "+0.123")
    #expect(formattedSigned(-0.12345, digits: 3) == "−0.123")
    #expect(formattedSigned(0.0001, digits: 3) == "0.000")
    #expect(formattedSigned(-0.0001, digits: 3) == "0.000")
    #expect(formattedSigned(.infinity, digits: 3) == "+∞")
    #expect(formattedSigned(-.infinity, digits: 3) == "−∞")
    #expect(formattedSigned(.nan, digits: 3) == "–")
  }

  @Test func shortensByPowersOfTen() {
    #expect(formattedShort(-2.5e-9) == "−2.5e−09")
    #expect(formattedShort(12) == "12" && formattedShort(-0.0) == "0")
    #expect(formattedShort(2.93e-5, digits: 2) == "2.9e−05")
    #expect(formattedShort(.infinity) == "∞" && formattedShort(.nan) == "–")
  }

  /// What is not finite has one form for people, one in JSON and one in CSV.
  @Test func whatIsNotFinite() {
    let interval = Interval.unbounded(around: 19.96, level: 0.95)
    #expect(interval.text(digits: 2) == "19.96 [−∞, ∞]")
    #expect(interval.json.text == #"{"mean": 19.96, "low": null, "high": null}"#)
    #expect([interval.low, interval.high, .nan].map(CSV.number) == ["-inf", "inf", ""])
    #expect(Interval.unbounded(around: .nan, level: 0.95).text(digits: 2) == "–")
    #expect(formattedPercent(.nan) == "–" && formattedPercent(.infinity) == "∞")
  }

  @Test func writesIntervals() {
    #expect(formattedInterval(0.81, 0.74, 0.87, digits: 2) == "0.81 [0.74, 0.87]")
    #expect(formattedInterval(0.81, nil, 0.87, digits: 2) == "0.81")
    #expect(formattedInterval(.nan, 0, 1, digits: 2) == "–")
  }

  @Test func writesPValues() {
    #expect(formattedPValue(0.0031) == "p = 0.003")
    #expect(formattedPValue(0.00042) == "p = 0.0004")
    #expect(formattedPValue(0.00001) == "p < 0.0001")
    #expect(formattedPValue(1e-6) == "p < 0.0001" && formattedPValue(0x1p-63) == "p < 0.0001")
    // Not on the wrong side of the level.
    #expect(formattedPValue(0.0496) == "p = 0.0496" && formattedPValue(0.0504) == "p = 0.0504")
    #expect(formattedPValue(0.05) == "p = 0.050" && formattedPValue(0.0489) == "p = 0.049")
    #expect(formattedPValue(1) == "p = 1.000")
    #expect(formattedPValue(.nan) == "p = –")
    #expect(formattedPercent(0.432, digits: 1) == "43.2\u{A0}%")
  }
}

@Suite struct FigureTests {
  @Test func namesItsFiles() {
    let figure = Figure(
      name: "../a b/é.1", svg: "<svg/>", csv: CSV(header: ["x"], rows: []), caption: "")
    #expect(figure.name == "-a-b--.1")
    #expect(figure.files.map(\.name) == ["-a-b--.1.svg", "-a-b--.1.csv"])
    #expect(figure.files[1].contents == "x\n")
    #expect(Figure(name: "", svg: "", csv: figure.csv, caption: "").name == "figure")
  }
}
