import Foundation
import TensorCore

/// Keeps two processes from writing the same rows.
enum RunLock {
  /// Locks an open file for as long as it is open.
  ///
  /// Network file systems may have no locks. Where `flock` has none, `fcntl` has none either: the
  /// kernel passes both to the same server.
  ///
  /// - Parameters:
  ///   - path: the run, for messages.
  ///   - lock: 0, or the reason that there is no lock, as of `errno`.
  /// - Returns: what the user should know where there is no lock.
  /// - Throws: `UserError` where another process has it.
  static func acquire(
    _ descriptor: Int32, path: String, lock: (Int32) -> Int32 = exclusively
  ) throws -> String? {
    let reason = lock(descriptor)
    switch reason {
    case 0: return nil
    case EWOULDBLOCK:
      throw UserError(
        "another process is writing this run", at: path, remedy: "wait for it or stop it")
    case ENOLCK, ENOSYS, EOPNOTSUPP:
      return "\(path): this file system has no locks (\(String(cString: strerror(reason)))); "
        + "see that no other process writes this run"
    default:
      errno = reason
      throw Files.systemError("cannot be locked", at: path)
    }
  }

  private static func exclusively(_ descriptor: Int32) -> Int32 {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno != EINTR { return errno }
    }
    return 0
  }
}
