import Foundation
import Reports
import Testing

/// The page of results is written by hand around its tables: its numbers are those of the report.
@Suite struct ResultsPageTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../docs/results").standardized

  /// `0.58 [0.48, 0.68]`, with the minus sign of our texts.
  private static func intervals(_ text: String) -> [String] {
    text.matches(of: /−?[0-9.]+ \[−?[0-9.∞]+, −?[0-9.∞]+\]/).map { String($0.output) }
  }

  /// Rows of a table by its header.
  private static func rows(_ text: String) -> [[String: String]] {
    var (rows, row, cell, isQuoted) = ([[String]](), [String](), "", false)
    for character in text.replacing("\"\"", with: "\u{1}") {
      switch character {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        row.append(cell)
        cell = ""
      case "\n" where !isQuoted:
        rows.append(row + [cell])
        (row, cell) = ([], "")
      default: cell.append(character == "\u{1}" ? "\"" : character)
      }
    }
    let header = rows.first ?? []
    return rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(header, $0)) }
  }

  @Test func everyIntervalIsOfTheReport() throws {
    let page = try String(
      contentsOf: Self.folder.appendingPathComponent("README.md"), encoding: .utf8)
    let sentences = try String(
      contentsOf: Self.folder.appendingPathComponent("report/sentences.csv"), encoding: .utf8)
    let rows = Self.rows(sentences)
    #expect(rows.count > 100)
    let report = try String(
      contentsOf: Self.folder.appendingPathComponent("report/index.html"), encoding: .utf8)
    var known = Set(Self.intervals(report) + rows.flatMap { Self.intervals($0["evidence"] ?? "") })
    for row in rows {
      guard let effect = row["effect"].flatMap(Double.init),
        let low = row["low"].flatMap(Double.init),
        let high = row["high"].flatMap(Double.init)
      else { continue }
      let interval = Interval(estimate: effect, low: low, high: high, level: 0.95)
      for digits in 0...3 { known.insert(interval.text(digits: digits)) }
    }
    let used = Self.intervals(page)
    #expect(used.count > 100)
    let unknown = used.filter { !known.contains($0) }
    #expect(unknown.isEmpty, "nowhere in the report: \(unknown.joined(separator: "; "))")
  }
}
