import Foundation
import TensorCore

/// An in-context-learning task: its items, how rules are drawn from them, and how they are written.
public struct RuleTask: Sendable, Equatable {
  /// What kind of rule a task has.
  public enum Kind: String, Sendable, CaseIterable {
    /// Classes of words get labels at random: only several demonstrations define the rule.
    case categorization
    /// Every input has one answer that the model may know: one demonstration names the relation.
    case mapping
    /// A mapping mixed with its inverse: each prompt shows both directions (Dong et al. 2026).
    case bijection
    /// y = a · x + b with a and b drawn for each episode: no single demonstration defines the two.
    case linear
  }

  /// Words that share a label under any rule.
  public struct ItemClass: Sendable, Equatable {
    public let name: String
    public let words: [String]
  }

  /// An input and its only right answer.
  public struct Pair: Sendable, Equatable {
    public let input: String
    public let answer: String
  }

  /// What a linear rule is drawn from.
  public struct Numbers: Sendable, Equatable {
    public let factors: [Int]
    public let offsets: [Int]
    public let inputs: [Int]
  }

  public enum Items: Sendable, Equatable {
    /// Classes are sorted by name. With fixed labels, label i is that of class i.
    case categorization(classes: [ItemClass], labels: [String])
    case mapping(pairs: [Pair])
    /// No text is on both sides.
    case bijection(pairs: [Pair])
    case linear(Numbers)
  }

  /// The name that options and results use; also the file's name.
  public let name: String
  /// A heading for reports.
  public let title: String
  public let description: String
  public let kind: Kind
  /// The words of the chosen language and the labels of the chosen set.
  public private(set) var items: Items
  /// The chosen template.
  public private(set) var template: Template
  /// Which template, label set and language the task is written in.
  public private(set) var format: Format
  /// Classes of an episode, 2 to 4; 2 for tasks without classes.
  public let classCount: Int
  /// Whether each class has a label of its own under every rule, instead of a drawn one.
  public let hasFixedLabels: Bool
  /// Neutral inputs for demonstrations that carry no rule.
  public let dummies: [String]
  /// The file, for error messages.
  public let place: String
  /// SHA-256 of the file's canonical JSON (keys sorted, no layout, no `$schema`), for a run's
  /// manifest.
  public let digest: String
  /// Everything that the task can be written in.
  private let surface: TaskSurface

  /// Whether an episode can be asked under another rule: `Episode.flippedRule`.
  public var hasOtherRules: Bool { kind == .categorization || kind == .linear }

  /// Every template with every label set and every language; the first is the default.
  public var formats: [Format] { surface.formats }

  /// The same task with that template, label set and language. An episode of any format is the same
  /// episode, item for item and label for label, in another surface form.
  ///
  /// - Throws: `UserError` where the task has no such template, label set or language.
  public func formatted(as format: Format) throws -> RuleTask {
    var task = self
    (task.template, task.items) = try surface.form(format, place: place)
    task.format = format
    return task
  }

  /// The same task in the format of which `names` says as much as differs from the default: names of
  /// a template, a label set and a language in any order.
  ///
  /// - Throws: `UserError` for a name that the task does not have.
  public func formatted(by names: [String]) throws -> RuleTask {
    try formatted(as: surface.format(naming: names, place: place))
  }

  /// Loads the task file at `path`: one JSON object or, for `.jsonl`, a header and an item a line.
  ///
  /// - Throws: `UserError` with the file, the key, what was found and what is allowed.
  public init(contentsOf path: String) throws {
    if path.hasSuffix(".jsonl") {
      try self.init(TaskLines(contentsOf: path))
    } else {
      try self.init(JSONReader(contentsOf: path))
    }
    let fileName = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    guard name == fileName else {
      throw UserError(
        "found \"\(name)\", allowed is \"\(fileName)\", the file's own name", at: "\(path), name",
        remedy: "rename the task or the file")
    }
  }

  /// Reads a task from JSON.
  public init(_ reader: JSONReader) throws {
    try self.init(TaskLines(whole: reader))
  }

  private init(_ lines: TaskLines) throws {
    let fields = try TaskFields(lines)
    name = try fields.text("name")
    title = try fields.text("title")
    description = try fields.text("description")
    kind = fields.kind
    surface = try TaskSurface(fields)
    format = surface.formats[0]
    (template, items) = try surface.form(format, place: lines.place)
    classCount = surface.classCount
    hasFixedLabels = surface.hasFixedLabels
    dummies = try fields.dummies(apartFrom: surface.texts)
    place = lines.place
    digest = lines.digest
  }
}
