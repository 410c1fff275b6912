import Foundation

/// Files of one JSON value a line, which grow at the end and of which no half line stays.
public enum LineFile {
  /// Checks, before the work that it is for, that lines can be appended to `path`.
  ///
  /// - Throws: `UserError` where its folder is missing or closed, or the file is closed or a
  ///   folder.
  public static func requireAppendable(_ path: String) throws {
    try Files.requireWritable(path)
    guard access(path, F_OK) != 0 || access(path, R_OK | W_OK) == 0 else {
      throw Files.systemError("cannot be written", at: path)
    }
  }

  /// Appends a line, whole or not at all. What an interrupted program left of a line is cut off
  /// first.
  public static func append(_ value: JSONValue, to path: String) throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Files.systemError("cannot be written", at: path) }
    // Closing also ends the lock, which keeps two programs' lines apart.
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX) == 0 else {
      throw Files.systemError("cannot be locked", at: path)
    }
    let whole = try Files.read(path)
    let lineStart = whole.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    var line = Data((value.text + "\n").utf8)
    var length = whole.count
    if lineStart < whole.count {
      // A line that somebody wrote by hand may lack its end only.
      if (try? JSONValue(parsing: Data(whole[lineStart...]), place: path)) != nil {
        line.insert(UInt8(ascii: "\n"), at: 0)
      } else {
        length = lineStart
        guard ftruncate(descriptor, off_t(length)) == 0 else {
          throw Files.systemError("cannot be written", at: path)
        }
      }
    }
    do {
      try Files.append(line, to: descriptor, path: path)
      guard fsync(descriptor) == 0 else { throw Files.systemError("cannot be written", at: path) }
      if whole.isEmpty { try Files.syncFolder(Files.folder(of: path)) }
    } catch {
      ftruncate(descriptor, off_t(length))
      throw error
    }
  }
}
