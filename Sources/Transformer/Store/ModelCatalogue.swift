import Foundation
import TensorCore

/// The models that have names: those of `catalogue/models.json`, and the user's own.
public struct ModelCatalogue: Sendable {
  /// Models that can be fetched: the program's, then the user's.
  public let entries: [CatalogueEntry]
  /// Models that lie beside a catalogue: the program's, then the user's.
  public let local: [LocalModel]

  /// - Parameter environment: `ICL_PROBE_CATALOGUE` names the user's file; else it is
  ///   `icl-probe/models.json` in `XDG_CONFIG_HOME` or `~/.config`, if that is there. Its entries
  ///   stand in for the program's of the same name.
  /// - Throws: `UserError` naming the file, the key, what was found and what is allowed.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    let own = try Self.read(DataFolder.find("catalogue") + "/models.json")
    guard let file = Self.userFile(environment) else {
      (entries, local) = own
      return
    }
    let users = try Self.read(file)
    let names = Set(users.entries.map(\.name) + users.local.map(\.name))
    entries = own.entries.filter { !names.contains($0.name) } + users.entries
    local = own.local.filter { !names.contains($0.name) } + users.local
    try Self.check(entries, local, place: file)
  }

  /// The model of that name that lies beside a catalogue, if there is one.
  public func local(named name: String) -> LocalModel? { local.first { $0.name == name } }

  /// - Throws: `UserError` for a name that is not that of a model to be fetched.
  public func entry(named name: String) throws -> CatalogueEntry {
    guard let entry = entries.first(where: { $0.name == name }) else {
      let known = (entries.map(\.name) + local.map(\.name)).joined(separator: ", ")
      throw UserError(
        "no model is called \"\(name)\"", remedy: "known are: \(known)", status: .usage)
    }
    return entry
  }

  /// The entries of a catalogue's file, a list of objects.
  private static func read(
    _ path: String
  ) throws -> (entries: [CatalogueEntry], local: [LocalModel]) {
    let folder = Files.folder(of: path)
    var entries: [CatalogueEntry] = []
    var local: [LocalModel] = []
    for reader in try JSONReader(contentsOf: path).list() {
      if reader.value.pairs.contains(where: { $0.key == LocalModel.pathKey }) {
        local.append(try LocalModel(reader, folder: folder))
      } else {
        entries.append(try CatalogueEntry(reader))
      }
    }
    try check(entries, local, place: path)
    return (entries, local)
  }

  /// The user's own catalogue; one that is asked for by name must be there.
  private static func userFile(_ environment: [String: String]) -> String? {
    func value(_ key: String) -> String? { environment[key].flatMap { $0.isEmpty ? nil : $0 } }
    if let chosen = value("ICL_PROBE_CATALOGUE") { return chosen }
    let home = value("HOME") ?? NSHomeDirectory()
    let path = (value("XDG_CONFIG_HOME") ?? home + "/.config") + "/icl-probe/models.json"
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }

  private static func check(
    _ entries: [CatalogueEntry], _ local: [LocalModel], place: String
  ) throws {
    let names = entries.map(\.name) + local.map(\.name)
    for (key, values) in [("name", names), ("file", entries.map(\.file))] {
      var seen: Set<String> = []
      for value in values where !seen.insert(value).inserted {
        throw UserError(
          "two models have the \(key) \"\(value)\"", at: place, remedy: "give one another \(key)")
      }
    }
  }
}
