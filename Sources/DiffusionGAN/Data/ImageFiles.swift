import Foundation
import TensorCore

/// A folder or a zip archive, as a set of named files.
enum ImageFiles: Sendable {
  /// Names are paths below the folder.
  case folder(path: String, names: [String])
  /// By the bytes of names: two may be the same text in other forms of Unicode.
  case zip(ZipArchive, [[UInt8]: ZipArchive.Entry])

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
        archive.entries.map { (Array(Self.normalised($0.name).utf8), $0) }, uniquingKeysWith: { $1 }
      ))
  }

  /// A path with slashes, also where Windows wrote it with backslashes, and without the `./` that some write first.
  static func normalised(_ name: String) -> String {
    let name = name.replacing("\\", with: "/")
    return name.hasPrefix("./") ? String(name.dropFirst(2)) : name
  }

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
      case .zip(_, let entries): entries.keys.map { String(decoding: $0, as: UTF8.self) }
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
      guard let entry = entries[Array(name.utf8)] else {
        throw UserError("holds no \(name)", at: path, remedy: "check the name")
      }
      let data = Data(try archive.read(entry))
      // A repository that is downloaded as an archive has pointers in place of its large files.
      try GitLFSPointer.refuse(data, at: place(of: name))
      return data
    }
  }
}
