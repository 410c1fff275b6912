import Foundation
import Reports
import TensorCore
import Terminal

/// Where reports go, and what a terminal shows of them.
enum ReportOutput {
  static let option = OptionSpecification(
    long: "out", valueName: "FOLDER", help: "Folder to write the report to.",
    defaultText: "a folder in reports/")

  /// The folder to write to, by the command line or else `folder`; made and found writable before
  /// the work begins.
  static func folder(_ parsed: ParsedCommand, else folder: String) throws -> String {
    let folder = parsed.string("out") ?? folder
    try Files.requireWritableFolder(folder)
    return folder
  }

  /// Writes a report, then prints its summary (`--json`) or its sentences.
  static func write(
    _ page: HTMLPage, claims: [Claim], summary: JSONValue, _ parsed: ParsedCommand,
    to folder: String
  ) throws {
    try ReportFolder.write(
      page, sentences: Claim.csv(claims), summary: summary, to: folder)
    if parsed.flag("json") {
      print(summary.text)
      return
    }
    let style = TerminalDevice.standardOutput.style
    for claim in claims { print(claim.text { style.verdict($0.rawValue) }, terminator: "") }
    print("Report: \(folder)/index.html")
  }
}
