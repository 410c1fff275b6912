import Foundation
import Synchronization

/// Reading and writing whole files, with errors that a user can act on.
public enum Files {
  /// Whether there is a folder at `path`.
  public static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// The bytes of the file at `path`.
  ///
  /// - Throws: `UserError` for a file that cannot be read, a folder, or a Git-LFS pointer.
  public static func read(_ path: String) throws -> Data {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw systemError("cannot be read", at: path) }
    defer { close(descriptor) }
    var information = stat()
    guard fstat(descriptor, &information) == 0 else {
      throw systemError("cannot be read", at: path)
    }
    guard information.st_mode & S_IFMT != S_IFDIR else {
      throw UserError("is a folder, not a file", at: path, remedy: "name a file")
    }
    let data = try contents(of: descriptor, sizeHint: Int(information.st_size), path: path)
    try GitLFSPointer.refuse(data, at: path)
    return data
  }

  /// Everything from an open file to its end; one whose size is not known, such as a pipe, too.
  private static func contents(
    of descriptor: Int32, sizeHint: Int, path: String
  ) throws -> Data {
    // One byte more than the size shows the end without a second round.
    var data = Data(count: max(sizeHint + 1, 1 << 16))
    var done = 0
    while true {
      if done == data.count { data.count *= 2 }
      let count = data.withUnsafeMutableBytes { (bytes: UnsafeMutableRawBufferPointer) in
        Glibc.read(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw systemError("cannot be read", at: path)
      }
      if count == 0 { return data.prefix(done) }
      done += count
    }
  }

  /// Writes `data` under a temporary name beside `path`, flushes it to the disk, renames it and
  /// flushes the name too, so that `path` is never half-written.
  public static func write(_ data: Data, to path: String) throws {
    let temporary = temporaryName(path)
    try writeTemporary(data, temporary, for: path)
    guard rename(temporary, path) == 0 else {
      let error = systemError("cannot be written", at: path)
      unlink(temporary)
      throw error
    }
    try syncFolder(folder(of: path))
  }

  /// As `write`, but leaves alone what is at `path` already: of several processes that create a file at
  /// once, one does.
  ///
  /// - Returns: whether this process did.
  public static func create(_ data: Data, at path: String) throws -> Bool {
    let temporary = temporaryName(path)
    try writeTemporary(data, temporary, for: path)
    defer { unlink(temporary) }
    if link(temporary, path) != 0 {
      if errno == EEXIST { return false }
      // Some file systems have no second names; there the last of two at once stays.
      guard [EPERM, ENOTSUP, ENOSYS, EMLINK].contains(errno) else {
        throw systemError("cannot be written", at: path)
      }
      if access(path, F_OK) == 0 { return false }
      guard rename(temporary, path) == 0 else { throw systemError("cannot be written", at: path) }
    }
    try syncFolder(folder(of: path))
    return true
  }

  private static let temporaries = Atomic(0)

  /// A name beside `path` that nobody else uses, on this machine or another.
  static func temporaryName(_ path: String) -> String {
    let number = temporaries.wrappingAdd(1, ordering: .relaxed).newValue
    return "\(path).\(place)-\(getpid())-\(number).tmp"
  }

  private static func writeTemporary(_ data: Data, _ temporary: String, for path: String) throws {
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw systemError("cannot be written", at: path) }
    do {
      try append(data, to: descriptor, path: path)
      guard fsync(descriptor) == 0 else { throw systemError("cannot be written", at: path) }
      close(descriptor)
    } catch {
      close(descriptor)
      unlink(temporary)
      throw error
    }
  }

  /// The folder that `path` lies in, as far as its text tells.
  public static func folder(of path: String) -> String {
    // Foundation's own way ends the program for a path of one character (Swift 6.2).
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part of `path`.
  public static func name(of path: String) -> String {
    String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
  }

  /// What stands behind the last dot of the last part of `path`, in small letters; empty without one, or where
  /// nothing is before the dot.
  public static func pathExtension(of path: String) -> String {
    let name = name(of: path)
    guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
  }

  /// `path` with a tilde for the home folder: for what is shown to others.
  public static func homeAsTilde(_ path: String) -> String {
    let home = ProcessInfo.processInfo.environment["HOME"] ?? NSHomeDirectory()
    return home.count > 1 && path.hasPrefix(home + "/") ? "~" + path.dropFirst(home.count) : path
  }

  /// Checks, before the work that it is for, that a file at `path` can be made or replaced.
  ///
  /// - Throws: `UserError` where its folder is missing or closed, or `path` is a folder itself.
  public static func requireWritable(_ path: String) throws {
    guard !isFolder(path) else {
      throw UserError("is a folder, not a file", at: path, remedy: "name a file")
    }
    let folder = folder(of: path)
    guard isFolder(folder) else {
      throw UserError(
        "the folder \(folder) does not exist", at: path, remedy: "make it or choose another")
    }
    guard access(folder, W_OK | X_OK) == 0 else { throw systemError("cannot be written", at: path) }
  }

  /// Checks, before the work that it is for, that files can be made in the folder `path`, and makes
  /// it.
  ///
  /// - Throws: `UserError` where it is a file, cannot be made, or is closed.
  public static func requireWritableFolder(_ path: String) throws {
    try makeFolder(path)
    guard access(path, W_OK | X_OK) == 0 else { throw systemError("cannot be written", at: path) }
  }

  /// Flushes a folder's list of names to the disk, so that a file that was made or renamed in it is
  /// still called so after a power failure; nothing where the file system has no such thing.
  public static func syncFolder(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A folder may be writable and yet not readable.
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 || [EINVAL, ENOTSUP, ENOSYS, EROFS].contains(errno) else {
      throw systemError("cannot be written", at: path)
    }
  }

  /// Flushes what was written to an open file to the disk; nothing where the file system has no such thing.
  public static func sync(_ descriptor: Int32, path: String) throws {
    guard fdatasync(descriptor) == 0 || [EINVAL, ENOTSUP, ENOSYS, EROFS].contains(errno) else {
      throw systemError("cannot be written", at: path)
    }
  }

  /// Writes all of `data` to an open file, whatever it takes in calls.
  public static func append(_ data: Data, to descriptor: Int32, path: String) throws {
    try data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      var done = 0
      while done < bytes.count {
        let written = Glibc.write(
          descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
        if written < 0 {
          if errno == EINTR { continue }
          throw systemError("cannot be written", at: path)
        }
        done += written
      }
    }
  }

  /// Makes the folder `path` and those above it.
  public static func makeFolder(_ path: String) throws {
    try makeFolder(path[...], for: path)
  }

  /// Makes a folder above or at `place`, which errors are about.
  private static func makeFolder(_ path: Substring, for place: String) throws {
    func failure(_ reason: String) -> UserError {
      UserError(
        "the folder cannot be made: \(reason)", at: place,
        remedy: "choose another place with --out")
    }
    var information = stat()
    if stat(String(path), &information) == 0 {
      guard information.st_mode & S_IFMT == S_IFDIR else { throw failure("\(path) is a file") }
      return
    }
    if let slash = path.lastIndex(of: "/"), slash > path.startIndex {
      try makeFolder(path[..<slash], for: place)
    }
    // Another process may have made it by now.
    guard mkdir(String(path), 0o777) == 0 || errno == EEXIST else {
      throw failure(String(cString: strerror(errno)))
    }
    // What is flushed in it is lost all the same where its own name is.
    try syncFolder(folder(of: String(path)))
  }

  /// An error from `errno`, with what to do about the commonest reasons.
  public static func systemError(_ what: String, at path: String) -> UserError {
    let code = errno
    let remedy =
      switch code {
      case ENOENT: "check the path"
      case EACCES, EPERM, EROFS: "check the permissions or choose another place"
      case ENOSPC, EDQUOT: "free some space and run the same command again"
      case EIO: "see whether the disk is sound, and run the same command again"
      case EISDIR, ENOTDIR, ENAMETOOLONG, ELOOP: "choose another place"
      default: "see what the file system allows, and run the same command again"
      }
    return UserError("\(what): \(String(cString: strerror(code)))", at: path, remedy: remedy)
  }
}
