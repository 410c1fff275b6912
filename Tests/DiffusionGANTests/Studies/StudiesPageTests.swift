import Foundation
import Reports
import Testing

@testable import DiffusionGAN

/// The runs of docs/onestep/studies, and the intervals that the pages beside them quote.
@Suite struct StudiesPageTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../docs/onestep").standardized
  private static let names = [
    "ability", "freezing", "frequency", "larger", "levers", "levers-further", "minima", "rivals",
  ]

  private static func results() throws -> [StudyResults] {
    try names.map {
      try StudyResults(contentsOf: folder.appendingPathComponent("studies/\($0)").path)
    }
  }

  /// Every run can be read, its rows are those of its manifest, and the report of all is made of them.
  @Test func everyRunIsWhole() throws {
    let results = try Self.results()
    for result in results { #expect(result.isFinished, "\(result.path)") }
    #expect(results.map(\.study.name) == Self.names)
    let report = StudyReport(results)
    #expect(!report.claims.isEmpty && report.page.html.contains("What the tests say"))
  }

  /// `0.77 [0.49, 1.04]` on a page is a distance (to the data or a teacher), a recall or a coverage of a cell
  /// at a checkpoint; in a row of a table of that cell.
  @Test(arguments: ["studies.md", "README.md"])
  func intervalsOfThePagesAreOfTheRows(page: String) throws {
    var (known, ofCells) = (Set<String>(), [String: Set<String>]())
    for result in try Self.results() {
      for cell in result.study.cells {
        for images in result.checkpoints(of: cell) {
          for space in result.spaces {
            let teachers = result.study.teachers.indices.map { StudyQuantity.toTeacher($0) }
            for quantity in [.frechet, .recall, .coverage] + teachers {
              guard let mean = result.mean(quantity, in: space, of: cell, at: images) else {
                continue
              }
              let text = mean.interval().text(digits: 2)
              known.insert(text)
              ofCells[cell.name, default: []].insert(text)
            }
          }
        }
      }
    }
    let text = try String(
      contentsOf: Self.folder.appendingPathComponent(page), encoding: .utf8)
    var quoted = 0
    for line in text.split(separator: "\n") {
      let cell = line.firstMatch(of: /^\| `([^`]+)` \|/).flatMap { ofCells[String($0.1)] }
      for interval in line.matches(of: /[−0-9.]+ \[[−0-9.]+, [−0-9.]+\]/) {
        #expect((cell ?? known).contains(String(interval.output)), "\(page): \(interval.output)")
        quoted += 1
      }
    }
    #expect(quoted > 0)
  }

  /// `p = 0.027` on a page is the adjusted p of a sentence of a study, with one or two digits.
  @Test(arguments: ["studies.md", "README.md"])
  func probabilitiesOfThePagesAreOfTheSentences(page: String) throws {
    var known: Set<String> = []
    for p in StudyReport(try Self.results()).claims.map(\.adjustedPValue) where p.isFinite && p > 0
    {
      let places = Int((-log10(p)).rounded(.down))
      known.formUnion((1...2).map { String(format: "%.\(max(places + $0, 0))f", p) })
      known.insert(p > 0.995 ? "1" : String(format: "%.2f", p))
    }
    // Of the study as it was first run, as the page says.
    known.insert("0.009")
    let text = try String(contentsOf: Self.folder.appendingPathComponent(page), encoding: .utf8)
    var quoted = 0
    for found in text.matches(of: /p = ([0-9]+(?:\.[0-9]+)?)(?: (?:and|to) ([0-9]+(?:\.[0-9]+)?))?/)
    {
      for number in [found.1, found.2].compactMap(\.self) {
        #expect(known.contains(String(number)), "\(page): \(found.0)")
        quoted += 1
      }
    }
    #expect(quoted > 8)
  }

  /// Numbers of three digits and more in the section on frequencies are of the evidence of its sentences.
  @Test func frequenciesOfThePageAreOfTheSentences() throws {
    let results = try StudyResults(
      contentsOf: Self.folder.appendingPathComponent("studies/frequency").path)
    let evidence = StudyClaims(results).all.map(\.evidence).joined(separator: " ")
    let known = evidence.matches(of: /[0-9]+\.[0-9]+/).map { String($0.output) }
    let text = try String(
      contentsOf: Self.folder.appendingPathComponent("studies.md"), encoding: .utf8)
    let section = try #require(text.components(separatedBy: "\n### (d)").dropFirst().first)
      .components(separatedBy: "\n### ")[0]
    let quoted = section.matches(of: /\b0\.[0-9]{3,}/).map { String($0.output) }
      .filter { $0 != "0.002" && $0 != "0.0001" }
    #expect(quoted.count > 8)
    for number in quoted {
      #expect(known.contains { $0.hasPrefix(number) }, "\(number)")
    }
  }

  /// The tables of levers have every run of theirs, with what it was measured to be.
  @Test(arguments: ["levers", "levers-further"])
  func leversOfThePageAreOfTheRows(name: String) throws {
    let result = try StudyResults(
      contentsOf: Self.folder.appendingPathComponent("studies/\(name)").path)
    let text = try String(
      contentsOf: Self.folder.appendingPathComponent("levers.md"), encoding: .utf8)
    let rows = result.rows.filter { $0.role == .heldOut && $0.images == 60_000 }
    #expect(
      rows.count == result.study.cells.map { ($0.seeds ?? result.study.seeds).count }.reduce(0, +))
    for row in rows {
      let values = try [".safetensors", StudyEvaluation.pixels].flatMap { space in
        let metrics = try #require(row.metrics.first { $0.name.hasSuffix(space) })
        return [
          String(format: "%.3f", metrics.frechet.value), String(format: "%.3f", metrics.recall),
          String(format: "%.3f", try #require(metrics.coverage)),
        ]
      }
      let line = "| `\(row.cell)` | \(row.seed) | " + values.joined(separator: " | ") + " |"
      #expect(text.contains(line), "\(line)")
    }
  }
}
