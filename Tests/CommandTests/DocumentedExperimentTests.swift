import Foundation
import Testing

/// The page about one's own experiments does what it says.
@Suite(.timeLimit(.minutes(5))) struct DocumentedExperimentTests {
  /// The page's code blocks with the line before them that is not empty.
  private func blocks() throws -> [(language: String, before: String, text: String)] {
    let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../docs/your-own-experiment.md")
    let lines = try String(contentsOf: page, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
    var blocks: [(language: String, before: String, text: String)] = []
    var open: (language: String, before: String, lines: [Substring])?
    var before = ""
    for line in lines {
      if line.hasPrefix("```") {
        if let block = open {
          blocks.append((block.language, block.before, block.lines.joined(separator: "\n")))
          open = nil
        } else {
          open = (String(line.dropFirst(3)), before, [])
        }
      } else if open != nil {
        open?.lines.append(line)
      } else if !line.isEmpty {
        before = String(line)
      }
    }
    return blocks
  }

  @Test func itsCommandsRun() throws {
    let scratch = try Scratch()
    var files = 0
    for block in try blocks() where block.language == "json" {
      let name = try #require(block.before.split(separator: "`").first.map(String.init))
      try scratch.write(name, block.text)
      files += 1
    }
    #expect(files == 2)
    let commands = try blocks().filter { $0.language == "sh" }
      .flatMap { $0.text.split(separator: "\n") }
    #expect(commands.count == 4)
    for command in commands {
      let words = command.split(separator: " ").map(String.init)
      #expect(words.first == "icl-probe")
      let result = try Program.run(Array(words.dropFirst()), folder: scratch)
      #expect(result.status == 0, "\(command): \(result.err)")
    }
    let summary = try JSON(scratch.read("report/summary.json"))
    #expect(summary["claims"]?[0]?["name"]?.text == "early-and-late.more-than-label-copy")
    #expect(try scratch.read("mine/rows.jsonl").contains("\"probe\": \"early-and-late\""))
    // Every kind of experiment is in the page's table.
    let table = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../docs/your-own-experiment.md"), encoding: .utf8)
    let wrong = try Program.run(
      [
        "patch", "--probe",
        scratch.write(
          "x.json", "{\"name\": \"x\", \"title\": \"\", \"question\": \"\", \"experiment\": \"?\"}"),
      ],
      folder: scratch)
    let kinds = wrong.err.matches(of: /"([a-z-]+)"/).map { String($0.1) }.filter { $0 != "?" }
    #expect(kinds.contains("knockout") && kinds.count >= 6, "\(wrong.err)")
    for kind in kinds { #expect(table.contains("| `\(kind)` |"), "\(kind)") }
  }
}
