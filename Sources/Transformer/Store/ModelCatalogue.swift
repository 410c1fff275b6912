import Foundation
import TensorCore

/// The models that can be fetched by name: those of `catalogue/models.json`, and the user's own.
public struct ModelCatalogue: Sendable {
  /// The program's entries, then the user's.
  public let entries: [CatalogueEntry]

  public init(entries: [CatalogueEntry]) { self.entries = entries }

  /// - Parameter environment: `ICL_PROBE_CATALOGUE` names the user's file; else it is
  ///   `icl-probe/models.json` in `XDG_CONFIG_HOME` or `~/.config`, if that is there. Its entries
  ///   stand in for the program's of the same name.
  /// - Throws: `UserError` naming the file, the key, what was found and what is allowed.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    let own = try Self.read(DataFolder.find("catalogue") + "/models.json")
    guard let file = Self.userFile(environment) else {
      entries = own
      return
    }
    let users = try Self.read(file)
    let names = Set(users.map(\.name))
    entries = own.filter { !names.contains($0.name) } + users
    try Self.check(entries, place: file)
  }

  /// - Throws: `UserError` for a name that is not in the catalogue.
  public func entry(named name: String) throws -> CatalogueEntry {
    guard let entry = entries.first(where: { $0.name == name }) else {
      let known = entries.map(\.name).joined(separator: ", ")
      throw UserError(
        "no model is called \"\(name)\"", remedy: "known are: \(known)", status: .usage)
    }
    return entry
  }

  /// The entries of a catalogue's file, a list of objects.
  static func read(_ path: String) throws -> [CatalogueEntry] {
    let entries = try JSONReader(contentsOf: path).list().map { try CatalogueEntry($0) }
    try check(entries, place: path)
    return entries
  }

  /// The user's own catalogue; one that is asked for by name must be there.
  private static func userFile(_ environment: [String: String]) -> String? {
    func value(_ key: String) -> String? { environment[key].flatMap { $0.isEmpty ? nil : $0 } }
    if let chosen = value("ICL_PROBE_CATALOGUE") { return chosen }
    let home = value("HOME") ?? NSHomeDirectory()
    let path = (value("XDG_CONFIG_HOME") ?? home + "/.config") + "/icl-probe/models.json"
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  private static func check(_ entries: [CatalogueEntry], place: String) throws {
    for (key, values) in [("name", entries.map(\.name)), ("file", entries.map(\.file))] {
      var seen: Set<String> = []
      for value in values where !seen.insert(value).inserted {
        throw UserError(
          "two models have the \(key) \"\(value)\"", at: place, remedy: "give one another \(key)")
      }
    }
  }
}
