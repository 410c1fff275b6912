import Foundation

/// Reading and writing whole files, with errors that a user can act on.
public enum Files {
  /// The bytes of the file at `path`.
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
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
    do {
      return try handle.readToEnd() ?? Data()
    } catch {
      throw UserError("cannot be read: \(error.localizedDescription)", at: path)
    }
  }

  /// Writes `data` under a temporary name beside `path`, flushes it to the disk, renames it and
  /// flushes the name too, so that `path` is never half-written.
  public static func write(_ data: Data, to path: String) throws {
    let temporary = "\(path).\(getpid()).tmp"
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
    guard rename(temporary, path) == 0 else {
      let error = systemError("cannot be written", at: path)
      unlink(temporary)
      throw error
    }
    try syncFolder(folder(of: path))
  }

  /// The folder that `path` lies in, as far as its text tells.
  public static func folder(of path: String) -> String {
    // Foundation's own way ends the program for a path of one character (Swift 6.2).
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
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
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch let error as NSError {
      let reason = (error.userInfo[NSUnderlyingErrorKey] as? NSError)?.localizedDescription
      throw UserError(
        "the folder cannot be made: \(reason ?? error.localizedDescription)", at: path,
        remedy: "choose another place with --out")
    }
  }

  /// An error from `errno`, with what to do about the commonest reasons.
  public static func systemError(_ what: String, at path: String) -> UserError {
    let code = errno
    let remedy: String? =
      switch code {
      case ENOENT: "check the path"
      case EACCES, EPERM, EROFS: "check the permissions or choose another place"
      case ENOSPC, EDQUOT: "free some space and run the same command again"
      default: nil
      }
    return UserError("\(what): \(String(cString: strerror(code)))", at: path, remedy: remedy)
  }
}
