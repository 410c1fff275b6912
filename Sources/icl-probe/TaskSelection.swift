import Foundation
import RuleVectors
import TensorCore
import Terminal

/// The tasks that names on the command line stand for: each is a task or a family of them.
struct TaskSelection {
  let entries: [TaskLibrary.Entry]
  /// Whether a name stood for a family, so that there may be more tasks than names.
  let isFamily: Bool
  /// Names of a template, a label set and a language; empty for each task's own first ones.
  private let format: [String]

  /// - Throws: `UserError` for a name that is neither.
  init(_ names: [String], _ parsed: ParsedCommand) throws {
    let library = try TaskLibrary(folder: DataFolders.tasks())
    let found = try names.map { try library.entries(named: $0) }
    isFamily = zip(names, found).contains { name, entries in
      entries.count != 1 || entries[0].family == name
    }
    // A task may be named beside its family.
    entries = found.flatMap { $0 }.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    format = try Self.format(parsed)
  }

  /// Every task that there is.
  init(all parsed: ParsedCommand) throws {
    entries = try TaskLibrary(folder: DataFolders.tasks()).entries
    isFamily = true
    format = try Self.format(parsed)
  }

  private static func format(_ parsed: ParsedCommand) throws -> [String] {
    guard let text = parsed.string("format") else { return [] }
    let names = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard !names.contains("") else {
      throw UserError(
        "option '--format' has an empty name in '\(text)'",
        remedy: "join names by single slashes, as in question/digits", status: .usage)
    }
    return names
  }

  var hasFormat: Bool { !format.isEmpty }

  /// A task in the format that was asked for.
  func load(_ entry: TaskLibrary.Entry) throws -> RuleTask {
    let task = try entry.load()
    return format.isEmpty ? task : try task.formatted(by: format)
  }
}
