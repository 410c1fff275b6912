import Foundation
import TensorCore
import Testing

@testable import RuleVectors

/// Tasks as JSON lines: a header, then an item a line.
@Suite struct TaskLinesTests {
  private static func head(_ kind: String, _ more: String = "") -> String {
    """
    {"name": "many", "title": "t", "description": "d", "kind": "\(kind)", \(more)"dummies": ["d1", "d2"], \
    "template": {"demonstration": "{input} -> {label}\\n", "query": "{input} ->"}}
    """
  }

  private static func load(_ lines: [String]) throws -> RuleTask {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("many.jsonl")
    try Data(lines.joined(separator: "\n").utf8).write(to: file)
    return try RuleTask(contentsOf: file.path)
  }

  @Test func linesAreTheItemsOfTheTask() throws {
    let mapping = try Self.load([Self.head("mapping")] + (1...8).map { "[\"a\($0)\", \"b\($0)\"]" })
    guard case .mapping(let pairs) = mapping.items else { return }
    #expect(pairs.map(\.input) == (1...8).map { "a\($0)" })
    let words = (1...12).map { "{\"class\": \"\($0 % 2 == 0 ? "x" : "y")\", \"word\": \"w\($0)\"}" }
    let head = Self.head("categorization", "\"labels\": [\"A\", \"B\"], ")
    let task = try Self.load([head] + words + [""])
    guard case .categorization(let classes, _) = task.items else { return }
    #expect(classes.map(\.name) == ["x", "y"])
    #expect(classes[0].words == ["w2", "w4", "w6", "w8", "w10", "w12"])
    #expect(try Self.load([head] + words).digest == task.digest)
    #expect(try Self.load([head] + words.dropLast(2)).digest != task.digest)
  }

  @Test func tenThousandItemsAreReadFast() throws {
    let lines = [Self.head("mapping")] + (1...10_000).map { "[\"input \($0)\", \"answer \($0)\"]" }
    let start = ContinuousClock.now
    let task = try Self.load(lines)
    // Below a tenth of this where it is optimised.
    #expect(ContinuousClock.now - start < .seconds(5))
    guard case .mapping(let pairs) = task.items else { return }
    #expect(pairs.count == 10_000)
  }

  static let faults: [([String], [String])] = [
    ([], ["many.jsonl", "holds no task"]),
    ([head("mapping"), "[\"a\", \"b\"]", "[\"a\"]"], ["many.jsonl:3", "list of 1"]),
    ([head("mapping"), "", "[\"a\", \"b\"]", "[\"a\", \"c\"]"], ["many.jsonl:4", "twice"]),
    ([head("mapping"), "[\"a\", "], ["many.jsonl:2", "JSON"]),
    ([head("mapping", "\"pairs\": [], "), "[\"a\", \"b\"]"], ["many.jsonl:1, pairs", "remove"]),
    ([head("mapping"), "[\"a\", \"b\"]"], ["many.jsonl", "found 1 pairs"]),
    (
      [
        head("categorization", "\"labels\": [\"A\", \"B\"], "),
        "{\"class\": \"x\", \"wort\": \"w\"}",
      ],
      ["many.jsonl:2", "wort", "word"]
    ),
    ([head("linear", "\"factors\": [1], "), "[\"a\", \"b\"]"], ["many.jsonl:2", "linear"]),
  ]

  @Test(arguments: faults) func faultsNameTheLine(lines: [String], parts: [String]) {
    #expect { try Self.load(lines) } throws: { error in
      let line = (error as? UserError)?.description ?? ""
      return parts.allSatisfy { line.contains($0) }
    }
  }
}
