import Foundation
import Testing

/// Reports are of the run that was asked for, and never over another's.
@Suite(.timeLimit(.minutes(5))) struct AggregateCommandTests {
  let scratch: Scratch

  init() throws {
    scratch = try Scratch()
    try scratch.write(
      "quick.json",
      """
      {"name": "quick", "title": "Quick", "question": "Which?", "experiment": "layer-sweep",
       "donor": "clean", "positions": ["answers"], "layers": [3, 25], "layer": 3}
      """)
  }

  private func patch(_ folder: String, _ more: String...) throws -> Program.Result {
    let result = try Program.run(
      ["patch", "--probe", "quick.json", "--shots", "2", "--verify", "0", "--episodes", "1"] + more
        + ["--out", folder], folder: scratch)
    #expect(result.status == 0, "\(result.err)")
    return result
  }

  private func aggregate(_ arguments: String...) throws -> Program.Result {
    let result = try Program.run(["aggregate"] + arguments, folder: scratch)
    #expect(result.status == 0, "\(result.err)")
    return result
  }

  @Test func theLastLineOfARunReportsThatRun() throws {
    _ = try patch("first", "--seed", "1")
    let second = try patch("my run", "--seed", "2")
    let line = try #require(second.out.split(separator: "\n").last)
    #expect(line == "Report: icl-probe aggregate 'my run'")
    let report = try aggregate("my run")
    #expect(report.out.hasPrefix("Run: my run\n"))
    #expect(try scratch.read("reports/my run/index.html").contains("my run"))
  }

  /// The page of a real run in a browser: values under the pointer, no errors, no label over another.
  @Test func thePageHoldsInABrowser() throws {
    _ = try patch("run")
    _ = try aggregate("run", "--out", "report")
    let checker = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../check-page").standardized.path
    let result = try Program.shell(
      "'\(checker)' report/index.html 2>&1", folder: scratch)
    #expect(result.status == 0, "\(result.out)")
  }

  @Test func anotherRunsReportStays() throws {
    _ = try patch("a/run", "--seed", "1")
    _ = try patch("b/run", "--seed", "2")
    _ = try aggregate("a/run")
    let kept = try scratch.read("reports/run/summary.json")
    let other = try aggregate("b/run")
    #expect(other.err == "icl-probe: reports/run holds a report of other runs and stays\n")
    #expect(other.out.contains("Report: reports/run-2/index.html"))
    #expect(try scratch.read("reports/run/summary.json") == kept)
    // The same run again takes its own place.
    #expect(try aggregate("a/run").err.isEmpty)
    #expect(try scratch.read("reports/run/summary.json") == kept)
  }

  @Test func oneEpisodeDecidesNothing() throws {
    _ = try patch("one")
    _ = try aggregate("one", "--out", "report")
    let summary = try JSON(scratch.read("report/summary.json"))
    #expect(summary["claims"]?[0]?["verdict"]?.text == "undecided")
    #expect(summary["gate"]?[0]?["passed"] != nil)
  }
}
