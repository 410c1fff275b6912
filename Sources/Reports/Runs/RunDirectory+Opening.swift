import Foundation
import TensorCore

extension RunDirectory {
  /// Opens the run that `identity` describes: the one at `path`, or the newest unfinished or finished
  /// one of that name below `root`, or else a new one.
  ///
  /// - Parameters:
  ///   - name: what the run is called; a number is added.
  ///   - identity: everything that decides the run's numbers; `Machine.arithmetic` under the key
  ///     `arithmetic`.
  ///   - rowsFile: name of the file of rows; a share's has its numbers in it.
  ///   - shard: the share of the run that this process does. All shares open the same folder.
  ///   - path: folder that the user chose.
  ///   - again: starts a new run even if the same one is finished; what is at `path` is renamed
  ///     unless it is the same run and unfinished.
  /// - Throws: `UserError`, also where the folder holds another run, rows were changed after the run
  ///   was finished, or somebody else is writing it.
  public static func open(
    root: String, name: String, identity: JSONValue, rowsFile: String, shard: Shard = .whole,
    path: String? = nil, again: Bool = false
  ) throws -> RunDirectory {
    let identity = try RunIdentity.canonical(identity, place: "the run's identity")
    if let path {
      let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
      let kept = again ? try keepAside(path, unlessUnfinished: identity) : nil
      try Files.makeFolder(path)
      try Files.syncFolder(Files.folder(of: path))
      return try RunDirectory(
        path, identity: identity, rowsFile: rowsFile, shard: shard,
        notes: kept.map { ["the run that was in \(path) is kept in \($0)"] } ?? [])
    }
    try Files.makeFolder(root)
    var notes: [String] = []
    var isOtherBuildTold = false
    let claimed = try existing(root: root, name: name).filter { SavedManifest.exists(in: $0) }
    for found in claimed.reversed() {
      let saved: SavedManifest
      do {
        saved = try SavedManifest(folder: found)
      } catch let error as UserError {
        notes.append("\(found) is passed over: \(error)")
        continue
      }
      let differences = RunIdentity.differences(ours: identity, theirs: saved.identity)
      if differences.isEmpty {
        if again, saved.isFinished { continue }
        return try RunDirectory(
          found, identity: identity, rowsFile: rowsFile, shard: shard, notes: notes)
      }
      if !again, !isOtherBuildTold, let first = differences.first,
        differences.allSatisfy(\.isOfArithmetic)
      {
        notes.append(
          "\(found) was begun by another build or on another kind of processor (\(first.text)) "
            + "and is not continued")
        isOtherBuildTold = true
      }
    }
    let (path, isClaimed) = try makeNumbered(
      root: root, name: name, after: claimed.last.flatMap(number) ?? 0, identity)
    return try RunDirectory(
      path, identity: identity, rowsFile: rowsFile, shard: shard, isClaimed: isClaimed, notes: notes
    )
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

  /// Claims the first number whose folder is nobody's, or that another share of the same run has
  /// claimed meanwhile.
  private static func makeNumbered(
    root: String, name: String, after last: Int, _ identity: JSONValue
  ) throws -> (path: String, isClaimed: Bool) {
    var number = last + 1
    while true {
      let path = String(format: "%@/%@-%03d", root, name, number)
      if mkdir(path, 0o755) == 0 {
        try Files.syncFolder(root)
      } else if errno != EEXIST {
        throw Files.systemError("the run's folder cannot be made", at: path)
      }
      // The manifest claims it, not the folder: shares that start at once take the same one.
      if stranger(in: path) == nil, try claim(path, identity) { return (path, true) }
      if let saved = try? SavedManifest(folder: path), !saved.isFinished,
        RunIdentity.differences(ours: identity, theirs: saved.identity).isEmpty
      {
        return (path, false)
      }
      number += 1
    }
  }

  /// Renames the run at `path`, if there is one.
  ///
  /// - Returns: where it is now; nil where there is none, or the same one that is unfinished.
  private static func keepAside(
    _ path: String, unlessUnfinished identity: JSONValue
  ) throws -> String? {
    guard SavedManifest.exists(in: path) else { return nil }
    // A manifest that cannot be read is no reason to keep the folder's name.
    if let saved = try? SavedManifest(folder: path), !saved.isFinished,
      RunIdentity.differences(ours: identity, theirs: saved.identity).isEmpty
    {
      return nil
    }
    var locks: [FileDescriptor] = []
    for entry in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    where entry.hasSuffix(".jsonl") {
      locks.append(try FileDescriptor(appendingTo: "\(path)/\(entry)"))
      _ = try locks.last.map { try RunLock.acquire($0.number, path: path) }
    }
    var number = 1
    while access("\(path)-before-\(number)", F_OK) == 0 { number += 1 }
    let kept = "\(path)-before-\(number)"
    guard rename(path, kept) == 0 else {
      throw UserError(
        "the run that is there cannot be renamed: \(String(cString: strerror(errno)))", at: path,
        remedy: "choose another folder with --out")
    }
    try Files.syncFolder(Files.folder(of: path))
    return withExtendedLifetime(locks) { kept }
  }
}
