import Foundation
import TensorCore

/// A run on disk: `manifest.json`, rows in a `.jsonl` file, `log.txt`.
///
/// Rows are appended and flushed to the disk, and nothing else is, so a run that is killed at any
/// moment, or whose machine is, loses at most the unit being written; the manifest is replaced whole.
/// Several processes may write the same run as long as each is another share of it: a share has rows, a
/// manifest and a log of its own, and `manifest.json`, written by whoever comes first and then left alone
/// until the shares are merged, says whose run the folder is.
public final class RunDirectory {
  public enum State: Sendable {
    /// Nothing was there.
    case new
    /// The same run had begun, or was finished and has lost rows since.
    case resumed
    /// The same run is finished, and its rows are what they were.
    case complete
  }

  public let path: String
  public let shard: Shard
  public let state: State
  /// What is written to the manifest; changes reach the disk with `writeManifest`.
  public var manifest: [(key: String, value: JSONValue)]
  /// What a user should be told about how the run was opened, a line each: rows that were dropped, a
  /// file system without locks, a run that was passed over or kept aside.
  public let notes: [String]
  /// Bytes at the end of the file of rows that were no whole row, and are gone.
  public let droppedBytes: Int
  private let file: RowFile
  private let rowsDescriptor: FileDescriptor
  private let logDescriptor: FileDescriptor
  private let isLocked: Bool
  /// Bytes of the rows so far.
  private var length: Int

  init(
    _ path: String, identity: JSONValue, rowsFile: String, shard: Shard, isClaimed: Bool = false,
    notes: [String]
  ) throws {
    var notes = notes
    self.path = path
    self.shard = shard
    file = RowFile(folder: path, name: shard.file(rowsFile))
    let isNew = try isClaimed || Self.claim(path, identity)
    try Self.require(identity, is: SavedManifest(folder: path).identity, path: path)
    try Self.requireCount(of: shard, path: path)
    let saved =
      !isNew && SavedManifest.exists(in: path, of: shard)
      ? try SavedManifest(folder: path, of: shard) : nil
    if let saved, !shard.isWhole {
      try Self.require(
        identity, is: saved.identity, path: SavedManifest.path(in: path, of: shard))
    }
    rowsDescriptor = try FileDescriptor(appendingTo: file.path)
    let lockNote = try RunLock.acquire(rowsDescriptor.number, path: path)
    isLocked = lockNote == nil
    if let lockNote { notes.append(lockNote) }
    // What was read before the lock may have been another's.
    manifest =
      try SavedManifest.exists(in: path, of: shard)
      ? SavedManifest(folder: path, of: shard).value.pairs : [("identity", identity)]
    logDescriptor = try FileDescriptor(appendingTo: "\(path)/\(shard.file(Self.logFile))")
    for folder in [path, ActivationStore(run: path).folder] { Files.removeAbandoned(in: folder) }
    let found = try file.length()
    length = found.whole
    droppedBytes = found.total - found.whole
    if droppedBytes > 0 {
      guard ftruncate(rowsDescriptor.number, off_t(length)) == 0 else {
        throw Files.systemError("cannot be written", at: file.path)
      }
      notes.append(
        "\(file.path): dropped \(droppedBytes) bytes at the end that are no whole row, "
          + "and computes them again")
    }
    if let saved, saved.isFinished {
      switch try saved.check(file, length: length, folder: path) {
      case .intact: state = .complete
      case .changed(let error): throw error
      case .shortened(let problem):
        notes.append(
          "\(path): the run was finished, but \(problem); what is missing is computed again")
        state = .resumed
      }
    } else {
      state = saved == nil ? .new : .resumed
    }
    self.notes = notes
    for note in notes { try log(note) }
    switch state {
    case .new:
      // At once, so that a run killed before its first row is known again.
      if !shard.isWhole { set("shard", shard.json) }
      try writeManifest()
    case .resumed: set("finished", .null)
    case .complete: break
    }
  }

  static let logFile = "log.txt"

  /// Makes the folder that of the run `identity`, if it is nobody's yet.
  ///
  /// - Returns: whether it was nobody's.
  static func claim(_ path: String, _ identity: JSONValue) throws -> Bool {
    guard !SavedManifest.exists(in: path) else { return false }
    if let entry = stranger(in: path) {
      throw UserError(
        "the folder holds other files (\(entry)) and no manifest.json", at: path,
        remedy: "choose an empty folder with --out")
    }
    return try Files.create(
      Data(JSONValue.object([("identity", identity)]).prettyText.utf8),
      at: SavedManifest.path(in: path))
  }

  /// An array that is begun again for some of its tasks has another number of them.
  private static func requireCount(of shard: Shard, path: String) throws {
    guard shard.arrayMinimum != nil, !SavedManifest.exists(in: path, of: shard),
      let other = RunShards.shards(in: path).first(where: { $0.count != shard.count })
    else { return }
    let offset =
      other.arrayMinimum.map { $0 == 1 ? "" : $0 < 1 ? "+\(1 - $0)" : "-\($0 - 1)" } ?? ""
    let task = offset.isEmpty ? "$SLURM_ARRAY_TASK_ID" : "$((SLURM_ARRAY_TASK_ID\(offset)))"
    throw UserError(
      "the Slurm array has \(shard.count) tasks, the run has shares of \(other.count)", at: path,
      remedy: "name the share: --shard \"\(task)/\(other.count)\"")
  }

  /// A file in a folder without a manifest that no run killed before its manifest left behind.
  static func stranger(in path: String) -> String? {
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let entry = entries.first { entry in
      let isOurs = entry == logFile || entry.hasSuffix(".jsonl")
      return
        !(isOurs && (try? Files.read("\(path)/\(entry)").isEmpty) == true
        || entry.hasPrefix("manifest.json."))
    }
    // Another process may have claimed the folder just now and have written more.
    return SavedManifest.exists(in: path) ? nil : entry
  }

  private static func require(_ wanted: JSONValue, is found: JSONValue, path: String) throws {
    let differences = RunIdentity.differences(ours: wanted, theirs: found)
    // What the user chose says more than which program computed it.
    guard let told = differences.first(where: { !$0.isOfArithmetic }) ?? differences.first else {
      return
    }
    let problem = "the folder holds another run: \(told.text)"
    throw told.isOfArithmetic
      ? UserError(
        problem, at: path,
        remedy: "continue it with the same build on the same kind of processor, or choose another "
          + "folder with --out")
      : UserError(
        problem, at: path, remedy: "choose another folder with --out, or the same settings")
  }

  /// Appends rows, each a line, and flushes them to the disk. All of a unit's rows belong into one
  /// call: after a failure none of them is there.
  ///
  /// - Throws: `UserError`, also where a mapped file was changed: the rows may be of neither file.
  public func append(_ rows: [JSONValue]) throws {
    guard !rows.isEmpty else { return }
    try MappedFile.requireUnchanged()
    let data = Data((rows.map(\.text).joined(separator: "\n") + "\n").utf8)
    do {
      try Files.append(data, to: rowsDescriptor.number, path: file.path)
      try Files.sync(rowsDescriptor.number, path: file.path)
    } catch {
      // Without the lock, what follows may be another's.
      if isLocked { ftruncate(rowsDescriptor.number, off_t(length)) }
      throw error
    }
    length += data.count
  }

  /// Drops all rows behind the first `count`: those of a unit that a crash cut short.
  public func keepRows(_ count: Int) throws {
    var kept = 0
    var bytes = 0
    try file.forEachLine(length: length) { line, _ in
      guard kept < count else { return }
      bytes += line.count + 1
      if !line.isEmpty { kept += 1 }
    }
    guard ftruncate(rowsDescriptor.number, off_t(bytes)) == 0 else {
      throw Files.systemError("cannot be written", at: file.path)
    }
    length = bytes
  }

  /// Rows of other shares of the run, and of the run without shares, as far as they are there.
  public var otherRows: OtherRows { OtherRows(folder: path, besides: file.name) }

  /// Calls `body` with every row that is on the disk, in order, without keeping them.
  ///
  /// - Throws: what `body` throws, and `UserError` for unreadable lines that others follow.
  public func forEachRow(_ body: (JSONReader) throws -> Void) throws {
    try file.forEachRow(body)
  }

  /// All rows that are on the disk; read at every call.
  public var rows: [JSONReader] {
    get throws {
      var rows: [JSONReader] = []
      try forEachRow { rows.append($0) }
      return rows
    }
  }

  /// Appends a line to the log.
  public func log(_ line: String) throws {
    try Files.append(
      Data((line + "\n").utf8), to: logDescriptor.number,
      path: "\(path)/\(shard.file(Self.logFile))")
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

  /// Replaces the manifest.
  ///
  /// - Throws: `UserError`, also for a key that appears twice, which could not be read again.
  public func writeManifest() throws {
    let place = SavedManifest.path(in: path, of: shard)
    _ = try RunIdentity.canonical(.object(manifest), place: place)
    try Files.write(Data(JSONValue.object(manifest).prettyText.utf8), to: place)
  }

  /// Says in the manifest that the run is finished, when, and what its rows are, so that rows that
  /// get lost afterwards are noticed.
  ///
  /// - Parameter units: names of the units that are the share's own, in canonical order, for merging.
  public func finish(units: [String] = [], at time: Date = Date()) throws {
    set("rows", try file.content().json(of: file))
    if !shard.isWhole { set("units", .array(units.map(JSONValue.string))) }
    set("finished", .string(ISO8601DateFormatter().string(from: time)))
    try writeManifest()
  }

  /// Reads the run at `path` without touching it; it may still be running.
  ///
  /// - Throws: `UserError` where the folder holds no run, or its manifest is no manifest.
  public static func read(path: String, rowsFile: String) throws -> RunReading {
    try RunReading(path, rowsFile: rowsFile)
  }
}

/// An open file, closed with this object.
final class FileDescriptor: Sendable {
  let number: Int32

  init(appendingTo path: String) throws {
    number = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard number >= 0 else { throw Files.systemError("cannot be written", at: path) }
  }

  deinit { if number >= 0 { close(number) } }
}
