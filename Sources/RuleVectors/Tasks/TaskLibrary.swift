import Foundation
import TensorCore

/// The tasks that are there, by family: files of a folder, and of folders in it.
///
/// A name is a task or a family, whose tasks it stands for. A path is a task's file, or a folder of
/// them.
public struct TaskLibrary: Sendable {
  public struct Entry: Sendable, Equatable {
    public let name: String
    /// The folder's name; nil for a file beside the families, or one named by its path.
    public let family: String?
    public let path: String

    public func load() throws -> RuleTask { try RuleTask(contentsOf: path) }
  }

  public let folder: String
  /// Sorted by family, then by name.
  public let entries: [Entry]

  public var families: [String] {
    entries.compactMap(\.family).reduce(into: []) { if $0.last != $1 { $0.append($1) } }
  }

  /// - Throws: `UserError` where the folder cannot be read, or two files have one name.
  public init(folder: String) throws {
    self.folder = folder
    entries = try Self.entries(in: folder)
    var paths: [String: String] = [:]
    for entry in entries {
      if let other = paths.updateValue(entry.path, forKey: entry.name) {
        throw UserError(
          "there are two tasks \"\(entry.name)\", here and in \(other)", at: entry.path,
          remedy: "rename one of them")
      }
    }
  }

  /// A task by its name or the path of its file.
  public func task(_ name: String) throws -> Entry {
    let found = try entries(named: name)
    guard found.count == 1, found[0].name == name || Self.isPath(name) else {
      throw UserError(
        "\"\(name)\" is a family of \(found.count) tasks: "
          + found.map(\.name).joined(separator: ", "), at: folder, remedy: "name one of these")
    }
    return found[0]
  }

  /// The tasks that a name or a path stands for: one, or those of a family or a folder.
  public func entries(named name: String) throws -> [Entry] {
    if Self.isPath(name) {
      guard Files.isFolder(name) else {
        let file = URL(fileURLWithPath: name).deletingPathExtension().lastPathComponent
        return [Entry(name: file, family: nil, path: name)]
      }
      let found = try Self.entries(in: name.hasSuffix("/") ? String(name.dropLast()) : name)
      guard !found.isEmpty else {
        throw UserError("the folder holds no tasks", at: name, remedy: "name another")
      }
      return found
    }
    let own = entries.filter { $0.name == name }
    let found = own.isEmpty ? entries.filter { $0.family == name } : own
    guard !found.isEmpty else {
      throw UserError(
        "there is no task or family \"\(name)\"; there are \(known)", at: folder,
        remedy: "name one of these or the path of a task file")
    }
    return found
  }

  /// "knowledge (antonyms, …), letters (…)": every name that can be used.
  private var known: String {
    let loose = entries.filter { $0.family == nil }.map(\.name)
    return
      (families.map { family in
        "\(family) (" + entries.filter { $0.family == family }.map(\.name).joined(separator: ", ")
          + ")"
      } + loose).joined(separator: ", ")
  }

  private static func isPath(_ name: String) -> Bool {
    name.contains("/") || name.hasSuffix(".json") || name.hasSuffix(".jsonl")
  }

  private static func entries(in folder: String) throws -> [Entry] {
    func files(_ path: String) throws -> [String] {
      guard let files = try? FileManager.default.contentsOfDirectory(atPath: path) else {
        throw UserError(
          "the tasks folder cannot be read", at: path, remedy: "name the folder of the task files")
      }
      return files.sorted()
    }
    func tasks(_ path: String, family: String?, _ files: [String]) -> [Entry] {
      files.compactMap { file in
        guard file.hasSuffix(".json") || file.hasSuffix(".jsonl"),
          !file.hasSuffix(".schema.json")
        else { return nil }
        return Entry(
          name: String(file.prefix { $0 != "." }), family: family, path: "\(path)/\(file)")
      }.sorted { $0.name < $1.name }
    }
    let own = try files(folder)
    return tasks(folder, family: nil, own)
      + (try own.filter { Files.isFolder("\(folder)/\($0)") }.flatMap { family in
        tasks("\(folder)/\(family)", family: family, try files("\(folder)/\(family)"))
      })
  }
}

extension RuleTask {
  /// Loads the task called `name` of the tasks folder, or the file itself if `name` is a path to one.
  public init(named name: String, in folder: String) throws {
    try self.init(contentsOf: TaskLibrary(folder: folder).task(name).path)
  }
}
