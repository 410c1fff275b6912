import Foundation
import Testing

/// Names and words that would run as a script, or lead out of a folder, are text in a report.
@Suite(.timeLimit(.minutes(5))) struct HostileNamesTests {
  /// Each would say so on the console if it ran, and a browser's check fails on what is said there.
  private static let script = "<script>console.error(1)</script>"
  private static let image = "<img src=x onerror=console.error(2)>"
  private static let svg = "</text></svg><svg onload=console.error(3)>"
  private static let quote = "\\\"'><b onmouseover=console.error(4)>"

  @Test func areInertInABrowser() throws {
    let scratch = try TinyLaboratory().scratch
    try scratch.write(
      "tasks/small.json",
      """
      {"name": "small", "title": "\(Self.script)", "description": "\(Self.image)",
       "family": "categorization",
       "template": {"demonstration": "{input}</text>{label}\\n", "query": "{input}</text>"},
       "labels": ["A", "B"],
       "classes": {"\(Self.image)": ["ba", "be", "<img src=x>", "bo", "'\\"<b>", "di"],
                   "\(Self.quote)": ["ga", "ge", "gi", "go", "gu", "he"]},
       "dummies": ["ma", "me", "mi", "mo", "mu", "na"]}
      """)
    try scratch.write(
      "hostile.json",
      """
      {"name": "hostile", "title": "\(Self.svg)", "question": "\(Self.quote)",
       "experiment": "layer-sweep", "donor": "clean", "positions": ["answers"],
       "layers": [0, 2], "layer": 2}
      """)
    let run = "a <script>console.error(5)<-script>"
    let before = Set(scratch.entries())
    for arguments in [
      [
        "patch", "--model", "tiny", "--task", "small", "--probe", "hostile.json", "--shots", "2",
        "--episodes", "2", "--verify", "0", "--out", run,
      ],
      ["aggregate", run, "--out", "report"],
    ] {
      let result = try Program.run(arguments, folder: scratch)
      #expect(result.status == 0, "\(result.err)")
    }
    let page = try scratch.read("report/index.html")
    // They are there, as text.
    for part in ["console.error(3)", "console.error(4)", "console.error(5)"] {
      #expect(page.contains(part), "\(part) is not in the page")
    }
    #expect(!page.contains("<img src=x"))
    let checker = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../check-page").standardized.path
    let result = try Program.shell("'\(checker)' report/index.html 2>&1", folder: scratch)
    #expect(result.status == 0, "\(result.out)")
    // Nothing outside the two folders that were named.
    let new = Set(scratch.entries()).subtracting(before)
    #expect(new.allSatisfy { $0.hasPrefix(run) || $0.hasPrefix("report") }, "\(new)")
  }

  /// Names that are paths are refused where they would name files.
  @Test(arguments: ["../up", "a/b", "<script>", ""])
  func areRefusedWhereTheyNameFiles(name: String) throws {
    let scratch = try TinyLaboratory().scratch
    try scratch.write(
      "hostile.json",
      """
      {"name": "\(name)", "title": "t", "question": "q", "experiment": "layer-sweep",
       "donor": "clean", "positions": ["answers"], "layers": [0, 2], "layer": 2}
      """)
    let before = scratch.entries()
    let result = try Program.run(
      ["patch", "--model", "tiny", "--task", "small", "--probe", "hostile.json", "--out", "run"],
      folder: scratch)
    #expect(result.status != 0)
    #expect(result.err.split(separator: "\n").count == 1, "\(result.err)")
    #expect(result.err.contains("name"), "\(result.err)")
    #expect(scratch.entries() == before)
  }
}
