import Foundation
import RuleVectors
import TensorCore

enum Fixtures {
  static let tasksFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("tasks").path

  static func task(_ name: String) throws -> RuleTask {
    try RuleTask(named: name, in: tasksFolder)
  }

  /// A small task file as text; `changing` replaces one part of it.
  static func taskText(changing old: String = "", to new: String = "") -> String {
    let text = """
      {"name": "small", "title": "Small", "description": "For tests.", "family": "categorization",
       "template": {"demonstration": "{input} -> {label}\\n", "query": "{input} ->"},
       "labels": ["A", "B"],
       "classes": {"pets": ["dog", "cat", "hamster"], "fruits": ["apple", "pear", "plum"]},
       "dummies": ["idea", "reason"]}
      """
    return old.isEmpty ? text : text.replacingOccurrences(of: old, with: new)
  }

  static func read(_ text: String) throws -> RuleTask {
    let value = try JSONValue(parsing: Data(text.utf8), place: "tasks/small.json")
    return try RuleTask(JSONReader(value, place: "tasks/small.json"))
  }
}
