import Foundation
import TensorCore

/// A run on disk: `manifest.json`, rows in a `.jsonl` file, `log.txt`.
///
/// Rows are appended and nothing else is, so a run that is killed at any moment loses at most the row
/// being written; the manifest is replaced whole.
public final class RunDirectory {
  public enum State: Sendable {
    /// Nothing was there.
    case new
    /// The same run had begun.
    case resumed
    /// The same run is finished.
    case complete
  }

  public let path: String
  public let state: State
  /// What is written to `manifest.json`; changes reach the disk with `writeManifest`.
  public var manifest: [(key: String, value: JSONValue)]
  /// Rows that were there on opening.
  public let rows: [JSONReader]
  private let rowsPath: String
  private let rowsDescriptor: Int32
  private let logDescriptor: Int32

  /// Opens the run that `identity` describes: the one at `path`, or the newest unfinished or finished
  /// one of that name below `root`, or else a new one.
  ///
  /// - Parameters:
  ///   - name: what the run is called; a number is added.
  ///   - identity: everything that decides the run's numbers.
  ///   - path: folder that the user chose.
  ///   - again: starts a new run even if the same one is finished.
  /// - Throws: `UserError`, also where the folder holds another run or somebody else is writing it.
  public static func open(
    root: String, name: String, identity: JSONValue, rowsFile: String, path: String? = nil,
    again: Bool = false
  ) throws -> RunDirectory {
    if let path {
      try Files.makeFolder(path)
      return try RunDirectory(path, identity: identity, rowsFile: rowsFile)
    }
    try Files.makeFolder(root)
    for found in try existing(root: root, name: name).reversed() {
      guard let manifest = try? JSONValue(contentsOf: found + "/manifest.json"),
        field("identity", of: manifest) == canonical(identity)
      else { continue }
      if again, field("finished", of: manifest) != .null { continue }
      return try RunDirectory(found, identity: identity, rowsFile: rowsFile)
    }
    // Making the folder is what claims the number.
    var number = (try existing(root: root, name: name).last.flatMap(Self.number) ?? 0) + 1
    while mkdir(String(format: "%@/%@-%03d", root, name, number), 0o755) != 0 {
      guard errno == EEXIST else {
        throw Files.systemError("the run's folder cannot be made", at: "\(root)/\(name)-\(number)")
      }
      number += 1
    }
    return try RunDirectory(
      String(format: "%@/%@-%03d", root, name, number), identity: identity, rowsFile: rowsFile)
  }

  /// Folders of that name below `root`, the lowest number first.
  public static func existing(root: String, name: String) throws -> [String] {
    guard FileManager.default.fileExists(atPath: root) else { return [] }
    let entries: [String]
    do {
      entries = try FileManager.default.contentsOfDirectory(atPath: root)
    } catch {
      throw UserError("the folder of runs cannot be read", at: root, remedy: "check permissions")
    }
    return entries.filter { entry in
      entry.hasPrefix(name + "-") && entry.dropFirst(name.count + 1).allSatisfy(\.isNumber)
        && entry.count > name.count + 1
    }
    .sorted { (number($0) ?? 0) < (number($1) ?? 0) }.map { "\(root)/\($0)" }
  }

  private static func number(_ path: String) -> Int? {
    path.split(separator: "-").last.flatMap { Int($0) }
  }

  private init(_ path: String, identity: JSONValue, rowsFile: String) throws {
    self.path = path
    let manifestPath = path + "/manifest.json"
    rowsPath = "\(path)/\(rowsFile)"
    let exists = FileManager.default.fileExists(atPath: manifestPath)
    if exists {
      let old = try JSONValue(contentsOf: manifestPath)
      try Self.require(identity, is: Self.field("identity", of: old), path: path)
      manifest = Self.fields(of: old)
      state = Self.field("finished", of: old) == .null ? .resumed : .complete
    } else {
      try Self.requireEmpty(path, rowsFile: rowsFile)
      manifest = [("identity", identity)]
      state = .new
    }
    rowsDescriptor = Glibc.open(rowsPath, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard rowsDescriptor >= 0 else { throw Files.systemError("cannot be written", at: rowsPath) }
    guard flock(rowsDescriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(rowsDescriptor)
      throw UserError(
        "another process is writing this run", at: path, remedy: "wait for it or stop it")
    }
    // What was read before the lock may have been another's beginning.
    guard exists == FileManager.default.fileExists(atPath: manifestPath) else {
      close(rowsDescriptor)
      throw UserError(
        "another process has just begun this run", at: path, remedy: "run the same command again")
    }
    logDescriptor = Glibc.open(
      path + "/log.txt", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard logDescriptor >= 0 else {
      throw Files.systemError("cannot be written", at: path + "/log.txt")
    }
    let data = try Files.read(rowsPath)
    // What follows the last line break was being written when the run was killed.
    let whole = (data.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0)
    if whole < data.count {
      guard ftruncate(rowsDescriptor, off_t(whole)) == 0 else {
        throw Files.systemError("cannot be written", at: rowsPath)
      }
    }
    var rows: [JSONReader] = []
    for (index, line) in data.prefix(whole).split(separator: 0x0A).enumerated() {
      let place = "\(rowsPath):\(index + 1)"
      rows.append(JSONReader(try JSONValue(parsing: Data(line), place: place), place: place))
    }
    self.rows = rows
    // At once, so that a run killed before its first row is known again.
    if state == .new { try writeManifest() }
  }

  /// A folder for a new run holds nothing, or what a run killed before its manifest left behind.
  private static func requireEmpty(_ path: String, rowsFile: String) throws {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    for entry in entries {
      let file = "\(path)/\(entry)"
      let ours = [rowsFile, "log.txt"].contains(entry) && (try? Files.read(file).isEmpty) == true
      guard ours || entry.hasPrefix("manifest.json.") else {
        throw UserError(
          "the folder holds other files (\(entry)) and no manifest.json", at: path,
          remedy: "choose an empty folder with --out")
      }
    }
  }

  deinit {
    close(rowsDescriptor)
    if logDescriptor >= 0 { close(logDescriptor) }
  }

  /// Appends rows, each a line.
  public func append(_ rows: [JSONValue]) throws {
    guard !rows.isEmpty else { return }
    try Files.append(
      Data((rows.map(\.text).joined(separator: "\n") + "\n").utf8), to: rowsDescriptor,
      path: rowsPath)
  }

  /// Appends a line to `log.txt`.
  public func log(_ line: String) throws {
    try Files.append(Data((line + "\n").utf8), to: logDescriptor, path: path + "/log.txt")
  }

  /// Sets a field of the manifest, in place or at the end.
  public func set(_ key: String, _ value: JSONValue) {
    if let index = manifest.firstIndex(where: { $0.key == key }) {
      manifest[index].value = value
    } else {
      manifest.append((key, value))
    }
  }

  public func value(_ key: String) -> JSONValue {
    manifest.first { $0.key == key }?.value ?? .null
  }

  /// Replaces `manifest.json`.
  public func writeManifest() throws {
    try Files.write(
      Data(JSONValue.object(manifest).prettyText.utf8), to: path + "/manifest.json")
  }

  private static func fields(of value: JSONValue) -> [(key: String, value: JSONValue)] {
    if case .object(let pairs) = value { pairs } else { [] }
  }

  private static func field(_ key: String, of value: JSONValue) -> JSONValue {
    fields(of: value).first { $0.key == key }?.value ?? .null
  }

  /// The value as it comes back from a file: with its keys in the reader's order.
  private static func canonical(_ value: JSONValue) -> JSONValue {
    (try? JSONValue(parsing: Data(value.text.utf8), place: "identity")) ?? value
  }

  private static func require(_ wanted: JSONValue, is found: JSONValue, path: String) throws {
    let wanted = canonical(wanted)
    guard wanted != found else { return }
    for (key, value) in fields(of: wanted) where field(key, of: found) != value {
      let other = field(key, of: found)
      throw UserError(
        "the folder holds another run: \(key) is \(short(other)) there, \(short(value)) here",
        at: path, remedy: "choose another folder with --out, or the same settings")
    }
    throw UserError(
      "the folder holds another run", at: path, remedy: "choose another folder with --out")
  }

  private static func short(_ value: JSONValue) -> String {
    let text = value.text
    return text.count <= 60 ? text : text.prefix(57) + "..."
  }
}
