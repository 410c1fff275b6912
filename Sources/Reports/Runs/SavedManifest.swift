import Foundation
import TensorCore

/// A run's `manifest.json` as it lies on the disk, where somebody may have edited it.
struct SavedManifest {
  /// What a finished run says of its rows.
  struct Rows {
    let file: String
    let count: Int
    let sha256: String
  }

  let value: JSONValue
  let identity: JSONValue
  let isFinished: Bool
  /// Nil before the run is finished, or where it was made by an earlier version.
  let rows: Rows?

  static let name = "manifest.json"

  /// Where the manifest lies: the run's, or that of one of its shares.
  static func path(in folder: String, of shard: Shard = .whole) -> String {
    "\(folder)/\(shard.file(name))"
  }

  static func exists(in folder: String, of shard: Shard = .whole) -> Bool {
    FileManager.default.fileExists(atPath: path(in: folder, of: shard))
  }

  /// - Throws: `UserError` naming the file and the key at fault.
  init(folder: String, of shard: Shard = .whole) throws {
    let path = Self.path(in: folder, of: shard)
    let data = try Files.read(path)
    do {
      value = try JSONValue(parsing: data, place: path)
      let fields = Dictionary(
        try JSONReader(value, place: path).entries(), uniquingKeysWith: { first, _ in first })
      guard let identity = fields["identity"] else {
        throw UserError("the key \"identity\" is missing", at: path)
      }
      _ = try identity.entries()
      self.identity = identity.value
      isFinished = fields["finished"].map { $0.value != .null } ?? false
      if isFinished { _ = try fields["finished"]?.string() }
      rows = try fields["rows"].flatMap { $0.value == .null ? nil : try Self.rows($0) }
    } catch let error as UserError {
      let kept = ShellWord.line(["mv", folder, folder + "-damaged"])
      throw UserError(
        error.problem, at: error.place, remedy: "move the run away with: \(kept), and repeat it")
    }
  }

  private static func rows(_ reader: JSONReader) throws -> Rows {
    let fields = try reader.object(required: ["file", "count", "sha256"])
    return Rows(
      file: try fields["file"]?.string() ?? "",
      count: try fields["count"]?.integer(in: 0...Int.max) ?? 0,
      sha256: try fields["sha256"]?.string() ?? "")
  }

  /// The command line that made the run, if the manifest tells.
  var command: String? {
    guard case .array(let words) = value["command"], !words.isEmpty else { return nil }
    let texts = words.compactMap { if case .string(let text) = $0 { text } else { nil } }
    return ShellWord.line(texts)
  }

  /// What a look at the rows of a finished run shows.
  enum Check {
    case intact
    /// Rows are missing, which the same command computes again.
    case shortened(String)
    /// Rows are other than they were.
    case changed(UserError)
  }

  /// Compares the rows of a finished run with what its manifest says of them.
  ///
  /// - Parameter length: bytes of the whole rows.
  func check(_ file: RowFile, length: Int, folder: String) throws -> Check {
    let found = try file.content(length: length)
    let name = file.name
    guard let rows else { return found.count > 0 ? .intact : .shortened("\(name) holds no rows") }
    guard rows.file == name else {
      return .shortened("its manifest tells of \(rows.file), not of \(name)")
    }
    if found.sha256 == rows.sha256, found.count == rows.count { return .intact }
    do {
      try file.forEachRow(length: length) { _ in }
    } catch let error as UserError {
      return .changed(error)
    }
    if found.count < rows.count {
      return .shortened("\(name) holds \(found.count) of \(rows.count) rows")
    }
    let kept = ShellWord.line(["mv", folder, folder + "-changed"])
    return .changed(
      UserError(
        "the rows were changed after the run was finished: the SHA-256 differs", at: file.path,
        remedy: "move the run away with: \(kept), and repeat it"))
  }
}
