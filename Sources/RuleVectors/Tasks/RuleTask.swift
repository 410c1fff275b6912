import Foundation
import TensorCore

/// An in-context-learning task: its items, how rules are drawn from them, and how they are written.
public struct RuleTask: Sendable, Equatable {
  /// What kind of rule a task has.
  public enum Family: String, Sendable, CaseIterable {
    /// Two classes of words get two labels at random: only several demonstrations define the rule.
    case categorization
    /// Every input has one answer that the model may know: one demonstration names the relation.
    case mapping
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

  public enum Items: Sendable, Equatable {
    case categorization(classes: [ItemClass], labels: [String])
    case mapping(pairs: [Pair])
  }

  /// The name that options and results use; also the file's name.
  public let name: String
  /// A heading for reports.
  public let title: String
  public let description: String
  public let items: Items
  public let template: Template
  /// Neutral inputs for demonstrations that carry no rule.
  public let dummies: [String]
  /// The file, for error messages.
  public let place: String
  /// SHA-256 of the file's canonical JSON (keys sorted, no layout), for a run's manifest.
  public let digest: String

  public var family: Family {
    switch items {
    case .categorization: .categorization
    case .mapping: .mapping
    }
  }

  /// Loads the task file at `path`.
  ///
  /// - Throws: `UserError` with the file, the key, what was found and what is allowed.
  public init(contentsOf path: String) throws {
    try self.init(JSONReader(contentsOf: path))
    let fileName = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
    guard name == fileName else {
      throw UserError(
        "found \"\(name)\", allowed is \"\(fileName)\", the file's own name", at: "\(path), name",
        remedy: "rename the task or the file")
    }
  }

  /// Loads `NAME.json` of the tasks folder, or the file itself if `name` is a path to one.
  public init(named name: String, in folder: String) throws {
    if name.hasSuffix(".json") || name.contains("/") {
      try self.init(contentsOf: name)
      return
    }
    let known = try Self.names(in: folder)
    guard known.contains(name) else {
      throw UserError(
        "there is no task \"\(name)\"; there are \(known.joined(separator: ", "))", at: folder,
        remedy: "name one of these or the path of a task file")
    }
    try self.init(contentsOf: "\(folder)/\(name).json")
  }

  /// The names of the tasks in `folder`, sorted.
  public static func names(in folder: String) throws -> [String] {
    guard let files = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw UserError(
        "the tasks folder cannot be read", at: folder, remedy: "name the folder of the task files")
    }
    return files.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// Reads a task from JSON.
  public init(_ reader: JSONReader) throws {
    let common = ["name", "title", "description", "family", "template", "dummies"]
    let entries = try reader.entries()
    guard let familyReader = entries.first(where: { $0.0 == "family" })?.1 else {
      throw UserError(
        "the key \"family\" is missing", at: reader.place,
        remedy: "add it with one of \(Family.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let word = try familyReader.choice(of: Family.allCases.map(\.rawValue))
    let family: Family = word == Family.mapping.rawValue ? .mapping : .categorization
    let own = family == .categorization ? ["classes", "labels"] : ["pairs"]
    let fields = try TaskFields(reader.object(required: common + own))

    name = try fields.text("name")
    title = try fields.text("title")
    description = try fields.text("description")
    template = try Template(fields.reader("template"), file: reader.place)
    items =
      family == .categorization
      ? .categorization(classes: try fields.classes(), labels: try fields.labels())
      : .mapping(pairs: try fields.pairs())
    dummies = try fields.dummies(apartFrom: items)
    place = reader.place
    digest = SHA256.hash(of: Data(reader.value.canonicalText.utf8))
  }
}

extension JSONValue {
  /// Text that is the same for equal content: keys of objects sorted, no layout.
  fileprivate var canonicalText: String { withSortedKeys.text }

  private var withSortedKeys: JSONValue {
    switch self {
    case .object(let pairs):
      .object(
        pairs.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
          .map { (key: $0.key, value: $0.value.withSortedKeys) })
    case .array(let values): .array(values.map(\.withSortedKeys))
    default: self
    }
  }
}
