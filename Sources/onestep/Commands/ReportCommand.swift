import DiffusionGAN
import Foundation
import Reports
import TensorCore
import Terminal

/// `onestep report`: runs of studies into a report.
enum ReportCommand: Command {
  static let specification = CommandSpecification(
    name: "report", summary: "Turn studies into a report with figures, intervals and tests.",
    discussion: """
      Writes one self-contained page, with every figure as SVG and CSV and summary.json beside it. \
      Sentences are tested and printed whichever way they fall. Without a run: the latest of every \
      study in study-runs/.
      """,
    arguments: [
      ArgumentSpecification(
        name: "RUN", help: "Folder of a study's run.", isOptional: true, repeats: true)
    ],
    options: [
      ReportOutput.option,
      OptionSpecification(
        long: "fill", valueName: "FILE",
        help: """
          Write the tables of studies in this Markdown page anew: what is between the lines <!-- study NAME -->, \
          <!-- runs of NAME --> or <!-- tests of NAME --> and <!-- end -->.
          """, repeats: true),
      CommonOptions.json,
    ],
    examples: [
      CommandExample(line: "onestep report", comment: "the latest run of every study"),
      CommandExample(line: "onestep report study-runs/minima-001", comment: "one run"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let named = parsed.arguments("RUN")
    let results = try (named.isEmpty ? latestRuns() : named).map { path in
      try StudyResults.mergeShares(in: path)
      return try StudyResults(contentsOf: path)
    }
    let names = results.map { URL(fileURLWithPath: $0.path).lastPathComponent }
    let folder = try ReportOutput.folder(
      parsed, else: "reports/" + (names.count == 1 ? names[0] : "studies"))
    let report = StudyReport(results)
    let filled = try parsed.strings("fill").map { ($0, try report.page(filling: $0)) }
    try ReportOutput.write(
      report.page, claims: report.claims, summary: report.summary, parsed, to: folder)
    for (path, page) in filled { try Files.write(Data(page.utf8), to: path) }
  }

  /// The run of the highest number of every study.
  private static func latestRuns() throws -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "study-runs")) ?? []
    let names = Set(
      entries.compactMap { entry -> String? in
        guard let dash = entry.lastIndex(of: "-"), Int(entry[dash...].dropFirst()) != nil else {
          return nil
        }
        return String(entry[..<dash])
      })
    let paths = try names.sorted().compactMap {
      try RunDirectory.existing(root: "study-runs", name: $0).last
    }
    guard !paths.isEmpty else {
      throw UserError(
        "there are no runs", at: "study-runs", remedy: "make one with: onestep study minima")
    }
    return paths
  }
}
