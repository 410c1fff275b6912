import Foundation
import TensorCore

/// A folder or a zip archive, as a set of named files.
enum ImageFiles: Sendable {
  /// Names are paths below the folder.
  case folder(path: String, names: [String])
  case zip(ZipArchive, [String: ZipArchive.Entry])

  /// Everything below the folder at `path`.
  init(folder path: String) throws {
    // The enumerator does not follow a link that is the folder itself.
    let folder = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    guard let walker = FileManager.default.enumerator(atPath: folder) else {
      throw UserError("cannot be read", at: path, remedy: "check the path and the permissions")
    }
    self = .folder(path: path, names: walker.compactMap { $0 as? String })
  }

  init(zip path: String) throws {
    let archive = try ZipArchive(path)
    self = .zip(
      archive,
      Dictionary(
        archive.entries.map { (Self.normalised($0.name), $0) }, uniquingKeysWith: { $1 }))
  }

  /// A path with slashes, also where Windows wrote it with backslashes.
  static func normalised(_ name: String) -> String { name.replacing("\\", with: "/") }

  var path: String {
    switch self {
    case .folder(let path, _): path
    case .zip(let archive, _): archive.path
    }
  }

  /// All names, in the order of their bytes.
  var names: [String] {
    let all =
      switch self {
      case .folder(_, let names): names
      case .zip(_, let entries): Array(entries.keys)
      }
    return all.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// What to call a file in messages.
  func place(of name: String) -> String {
    switch self {
    case .folder(let path, _): "\(path)/\(name)"
    case .zip(let archive, _): "\(archive.path), \(name)"
    }
  }

  func read(_ name: String) throws -> Data {
    switch self {
    case .folder(let path, _): return try Files.read("\(path)/\(name)")
    case .zip(let archive, let entries):
      guard let entry = entries[name] else {
        throw UserError("holds no \(name)", at: path, remedy: "check the name")
      }
      let data = Data(try archive.read(entry))
      // A repository that is downloaded as an archive has pointers in place of its large files.
      try GitLFSPointer.refuse(data, at: place(of: name))
      return data
    }
  }
}
