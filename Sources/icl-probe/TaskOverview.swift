import RuleVectors
import TensorCore

/// A task's figures, for lists and descriptions.
struct TaskOverview {
  let task: RuleTask

  /// Classes and their words in order; empty for a task without.
  var classes: [RuleTask.ItemClass] {
    if case .categorization(let classes, _) = task.items { classes } else { [] }
  }

  /// Empty for a task whose answers are its items' own.
  var labels: [String] {
    if case .categorization(_, let labels) = task.items { labels } else { [] }
  }

  var itemCount: Int { itemCount(.development) + itemCount(.heldOut) }

  func itemCount(_ split: Split) -> Int {
    switch task.items {
    case .categorization(let classes, _):
      classes.reduce(0) { $0 + split.items(of: $1.words).count }
    case .mapping(let pairs), .bijection(let pairs): split.items(of: pairs).count
    case .linear(let numbers): split.items(of: numbers.inputs).count
    }
  }

  /// What lists say about the task.
  var json: [(key: String, value: JSONValue)] {
    [
      ("name", .string(task.name)), ("title", .string(task.title)),
      ("kind", .string(task.kind.rawValue)),
      (
        "items",
        [
          "development": .integer(itemCount(.development)),
          "held_out": .integer(itemCount(.heldOut)),
        ]
      ),
      ("labels", .array(labels.map(JSONValue.string))),
      ("formats", .array(task.formats.map { .string($0.name) })),
    ]
  }

  var detailedJSON: [(key: String, value: JSONValue)] {
    json + [
      ("description", .string(task.description)),
      (
        "classes",
        .array(
          classes.map { ["name": .string($0.name), "items": .integer($0.words.count)] })
      ),
      ("dummies", .integer(task.dummies.count)), ("file", .string(task.place)),
      ("digest", .string(task.digest)),
    ]
  }

  /// Rows of a table: what, and how much.
  var details: [[String]] {
    var rows = [["kind", task.kind.rawValue]]
    if !classes.isEmpty {
      let counts = classes.map { "\($0.name) (\($0.words.count))" }
      rows.append(["classes", counts.joined(separator: ", ")])
      rows.append(["labels", labels.joined(separator: ", ")])
    }
    rows.append([
      "items", "\(itemCount(.development)) development, \(itemCount(.heldOut)) held-out",
    ])
    rows.append(["dummies", "\(task.dummies.count)"])
    rows.append(["file", task.place])
    rows.append(["digest", task.digest])
    return rows
  }
}
