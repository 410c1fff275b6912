import Foundation
import TensorCore

/// A model that lies beside its catalogue: nothing is fetched.
public struct LocalModel: Sendable, Equatable {
  /// What the model is called on the command line.
  public let name: String
  /// What it is.
  public let title: String
  /// The file or folder.
  public let path: String
  public let licence: String

  /// Bytes of the file, or of all files of the folder; 0 where it is not there.
  public var bytes: Int {
    func size(_ path: String) -> Int {
      var information = stat()
      return stat(path, &information) == 0 ? Int(information.st_size) : 0
    }
    guard Files.isFolder(path) else { return size(path) }
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return files.reduce(0) { $0 + size("\(path)/\($1)") }
  }

  public var isHere: Bool { FileManager.default.fileExists(atPath: path) }
}

extension LocalModel {
  /// The key that tells such an entry of a `models.json` from one that is fetched.
  static let pathKey = "path"

  /// Reads an entry of a `models.json`; its path begins at that file's folder.
  ///
  /// - Throws: `UserError` with the file, the key, what was found and what is allowed.
  init(_ reader: JSONReader, folder: String) throws {
    let keys = try reader.object(required: ["name", "title", Self.pathKey, "licence"])
    func key(_ name: String) -> JSONReader { keys[name] ?? JSONReader(.null, place: reader.place) }
    name = try CatalogueEntry.name(key("name"))
    title = try key("title").string()
    let path = try key(Self.pathKey).string()
    guard !path.isEmpty else {
      throw UserError(
        "found an empty text", at: key(Self.pathKey).place,
        remedy: "name the model's file or folder, seen from the catalogue's folder")
    }
    self.path =
      URL(fileURLWithPath: path.hasPrefix("/") ? path : "\(folder)/\(path)")
      .absoluteURL.standardized.path
    licence = try key("licence").string()
  }
}
