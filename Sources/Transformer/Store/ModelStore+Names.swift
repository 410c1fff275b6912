import Foundation
import TensorCore

extension ModelStore {
  /// The file that a user means by `name`: a path, a name of the catalogue, or a file in the folder.
  public func resolve(_ name: String) throws -> String {
    let files = FileManager.default
    if name.contains("/") || name.hasSuffix(".gguf") || files.fileExists(atPath: name) {
      let inFolder = folder + "/" + name
      if !files.fileExists(atPath: name), files.fileExists(atPath: inFolder) { return inFolder }
      return name
    }
    if files.fileExists(atPath: "\(folder)/\(name).gguf") { return "\(folder)/\(name).gguf" }
    let catalogue = try ModelCatalogue(environment: environment)
    if let local = catalogue.local(named: name) {
      guard local.isHere else {
        throw UserError(
          "the model \"\(name)\" is not beside its catalogue", at: local.path,
          remedy: "install the program again, or mend the catalogue's path")
      }
      return local.path
    }
    let entry = try catalogue.entry(named: name)
    guard isFetched(entry) else {
      throw UserError(
        "the model \"\(name)\" is not here yet", at: path(of: entry),
        remedy: "get it with: icl-probe models fetch \(name)")
    }
    return path(of: entry)
  }
}
