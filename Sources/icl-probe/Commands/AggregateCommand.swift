import Foundation
import Reports
import RuleVectors
import TensorCore
import Terminal

/// `icl-probe aggregate`: runs into a report.
enum AggregateCommand: Command {
  static let specification = CommandSpecification(
    name: "aggregate", summary: "Turn runs into a report with figures, intervals and tests.",
    discussion: """
      Writes reports/NAME/index.html, one self-contained page, with every figure as SVG and CSV and \
      summary.json beside it. Without a run: the latest patch run, and the latest eval run of every \
      task.
      """,
    arguments: [
      ArgumentSpecification(
        name: "RUN", help: "Folder of a run.", isOptional: true, repeats: true)
    ],
    options: [
      OptionSpecification(
        long: "out", valueName: "FOLDER", help: "Folder to write to.",
        defaultText: "reports/NAME of the first run"),
      CommonOptions.json,
    ],
    examples: [
      CommandExample(line: "icl-probe aggregate", comment: "the latest runs"),
      CommandExample(
        line: "icl-probe aggregate runs/multi-demo-rule-001", comment: "one run"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let named = parsed.arguments("RUN")
    let records = try (named.isEmpty ? latestRuns() : named).map { try RunRecord($0) }
    let report = try Report(records)
    let name = URL(fileURLWithPath: records.first?.path ?? "report").lastPathComponent
    let folder = parsed.string("out") ?? "reports/\(name)"
    let summary = report.summary
    try ReportFolder.write(report.page, summary: summary, to: folder)
    if parsed.flag("json") {
      CommonOptions.print(summary)
    } else {
      for record in records {
        print("Run: \(record.path)\(record.isFinished ? "" : " (unfinished)")")
      }
      print(report.text(device: .standardOutput))
      print("Report: \(folder)/index.html")
    }
  }

  /// The newest patch run, by when it was started, and the newest eval run of every task.
  private static func latestRuns() throws -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "runs")) ?? []
    var patches: [(started: String, path: String)] = []
    var evals: [String: (started: String, path: String)] = [:]
    for entry in entries.sorted() {
      let path = "runs/\(entry)"
      guard let manifest = try? JSONValue(contentsOf: path + "/manifest.json"),
        case .string(let started) = manifest["started"],
        case .string(let kind) = manifest["identity"]["kind"],
        case .string(let task) = manifest["identity"]["task"]
      else { continue }
      if kind == "patch" {
        patches.append((started, path))
      } else if evals[task].map({ $0.started < started }) ?? true {
        evals[task] = (started, path)
      }
    }
    let paths =
      patches.max { ($0.started, $0.path) < ($1.started, $1.path) }.map { [$0.path] } ?? []
    let found = paths + evals.keys.sorted().compactMap { evals[$0]?.path }
    guard !found.isEmpty else {
      throw UserError(
        "there are no runs", at: "runs", remedy: "make one with: icl-probe patch")
    }
    return found
  }
}

extension Report {
  /// The tested sentences as text.
  func text(device: TerminalDevice) -> String {
    let style = device.style
    return claims.map { claim in claim.text(samples: "episodes") { style.verdict($0.rawValue) } }
      .joined()
  }
}
