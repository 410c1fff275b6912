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
      Writes reports/NAME/index.html, one self-contained page, with every figure as SVG and CSV, \
      every sentence that was tested in sentences.csv, and summary.json beside it. Without a run: \
      the latest patch run, and the latest eval run of every task. Shares of a run are merged \
      first; what is missing of them is said. Shares of a record (FILE.shares) become the files \
      that record writes.
      """,
    arguments: [
      ArgumentSpecification(
        name: "RUN", help: "Folder of a run.", isOptional: true, repeats: true)
    ],
    options: [
      OptionSpecification(
        long: "out", valueName: "FOLDER", help: "Folder to write to.",
        defaultText: "reports/NAME of the first run"),
      OptionSpecification(
        long: "show", valueName: "TASK",
        help: """
          Task whose runs get sections and figures on the page; the sentences of the others are \
          corrected with theirs and stand in the tables of claims.
          """, defaultText: "all", repeats: true),
      OptionSpecification(
        long: "claims", valueName: "FILE",
        help: "Also write the paper's claims over tasks and models, as Markdown."),
      OptionSpecification(
        long: "fill", valueName: "FILE",
        help: """
          Write the tables of sentences in this Markdown page anew: what is between the lines \
          <!-- sentences ROWS.json --> and <!-- end -->.
          """),
      CommonOptions.json,
    ],
    examples: [
      CommandExample(line: "icl-probe aggregate", comment: "the latest runs"),
      CommandExample(
        line: "icl-probe aggregate runs/multi-demo-rule-001", comment: "one run"),
    ])

  static func run(_ parsed: ParsedCommand) throws {
    let shares = parsed.arguments("RUN").filter(SharedActivations.isRecord)
    let named = parsed.arguments("RUN").filter { !shares.contains($0) }
    for folder in shares {
      RecordCommand.tell(try SharedActivations.merge(folder), isJSON: parsed.flag("json"))
    }
    if !shares.isEmpty, named.isEmpty { return }
    if !named.isEmpty { try merge(named) }
    let records = try (named.isEmpty ? latestRuns() : named).map { try RunRecord($0) }
    let report = try Report(records, showing: parsed.strings("show"))
    let filled = try parsed.string("fill").map { ($0, try report.page(filling: $0)) }
    let name = URL(fileURLWithPath: records.first?.path ?? "report").lastPathComponent
    let summary = report.summary
    let folder = parsed.string("out") ?? Self.folder("reports/\(name)", for: summary)
    try ReportFolder.write(
      report.page, sentences: report.sentences, summary: summary, to: folder)
    if let path = parsed.string("claims") {
      // Without the folder of tasks there are no families.
      let entries = (try? TaskLibrary(folder: DataFolders.tasks()).entries) ?? []
      let families = entries.compactMap { entry in entry.family.map { (entry.name, $0) } }
      let table = report.claimsTable(
        families: Dictionary(families, uniquingKeysWith: { first, _ in first }))
      try Files.write(Data(table.utf8), to: path)
    }
    if let (path, page) = filled { try Files.write(Data(page.utf8), to: path) }
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

  /// Merges the shares of runs.
  ///
  /// - Throws: `UserError` for the last run of which shares are missing; those before it are noted.
  private static func merge(_ paths: [String]) throws {
    var problems: [UserError] = []
    for path in paths {
      do {
        if let count = try RunMerge.merge(path) { Notes.write("\(path): merged \(count) shares") }
      } catch let error as UserError {
        problems.append(error)
      }
    }
    for problem in problems.dropLast() { Notes.write(problem.description) }
    if let last = problems.last { throw last }
  }

  /// `path`, or with a number behind it where it holds a report of other runs.
  private static func folder(_ path: String, for summary: JSONValue) -> String {
    func runs(_ summary: JSONValue) -> [JSONValue] {
      guard case .array(let runs) = summary["runs"] else { return [] }
      // A run is known by its identity and by when it was begun.
      return runs.map { [$0["run"], $0["manifest"]["identity"], $0["manifest"]["started"]] }
        .map { .array($0) }
    }
    var folder = path
    var number = 2
    while let other = try? JSONValue(contentsOf: folder + "/summary.json"),
      runs(other).map(\.text) != runs(summary).map(\.text)
    {
      folder = "\(path)-\(number)"
      number += 1
    }
    if folder != path { Notes.write("\(path) holds a report of other runs and stays") }
    return folder
  }

  /// The newest patch run, by when it was started, and the newest eval run of every task.
  private static func latestRuns() throws -> [String] {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: "runs")) ?? []
    var patches: [(started: String, path: String)] = []
    var evals: [String: (started: String, path: String)] = [:]
    for entry in entries.sorted() {
      let path = "runs/\(entry)"
      guard FileManager.default.fileExists(atPath: path + "/manifest.json"),
        !SharedActivations.isRecord(path)
      else { continue }
      do { try merge([path]) } catch {
        Notes.write("leaving out \(error)")
        continue
      }
      guard let manifest = try? JSONValue(contentsOf: path + "/manifest.json"),
        case .string(let started) = manifest["started"],
        case .string(let kind) = manifest["identity"]["kind"],
        case .string(let task) = manifest["identity"]["task"]
      else {
        Notes.write("leaving out \(path): its manifest.json cannot be read")
        continue
      }
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
