import Foundation
import Reports
import Testing

@testable import DiffusionGAN

/// The runs of docs/onestep/studies, and the intervals that the pages beside them quote.
@Suite struct StudiesPageTests {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../../docs/onestep").standardized
  private static let names = ["ability", "freezing", "frequency", "larger", "minima", "rivals"]

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
}
