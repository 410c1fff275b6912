import Foundation
import Synchronization

/// The files that are mapped at the moment, and what becomes of them when they change on the disk.
final class Mappings: Sendable {
  static let shared = Mappings()

  private struct Entry {
    let path: String
    let file: FileState
    /// Its place in `table`, if it has one.
    let slot: Int?
  }

  /// What tells one state of a file from another.
  private struct FileState: Equatable {
    let device: dev_t
    let inode: ino_t
    let size: off_t
    let seconds: Int
    let nanoseconds: Int

    init(_ information: stat) {
      (device, inode) = (information.st_dev, information.st_ino)
      size = information.st_size
      (seconds, nanoseconds) = (information.st_mtim.tv_sec, information.st_mtim.tv_nsec)
    }
  }

  private let entries = Mutex<[UInt: Entry]>([:])

  private init() { LostPages.watch() }

  func add(_ bytes: UnsafeRawBufferPointer, _ path: String, _ information: stat) {
    guard let start = bytes.baseAddress else { return }
    entries.withLock {
      $0[UInt(bitPattern: start)] = Entry(
        path: path, file: FileState(information), slot: LostPages.add(bytes, path))
    }
  }

  func remove(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    entries.withLock {
      if let slot = $0.removeValue(forKey: UInt(bitPattern: start))?.slot { LostPages.remove(slot) }
    }
  }

  func requireUnchanged() throws {
    let all = entries.withLock { Array($0.values) }
    for entry in all {
      var information = stat()
      // A file that was removed or replaced is still there for whoever has it mapped.
      guard stat(entry.path, &information) == 0 else { continue }
      let now = FileState(information)
      guard now.device == entry.file.device, now.inode == entry.file.inode else { continue }
      if now != entry.file {
        throw UserError(
          "was changed while it was in use", at: entry.path,
          remedy: "let it be as it was and run the same command again, or start a new run")
      }
    }
  }
}

extension MappedFile {
  /// Looks whether the files that are mapped are still what they were.
  ///
  /// - Throws: `UserError` where one was written to: what was computed since may be of neither file.
  public static func requireUnchanged() throws { try Mappings.shared.requireUnchanged() }
}

/// Says which file it was when a page of a mapping is not there any more: the file was cut, or its disk fails.
/// The system then sends SIGBUS, and there is no way on.
private enum LostPages {
  private struct Slot {
    var start: UInt = 0
    var end: UInt = 0
    /// A line for standard error: a handler may not make one.
    var line: UnsafeMutablePointer<CChar>?
    var length = 0
  }

  private static let count = 256
  /// Written under the lock of `Mappings`; the handler reads.
  nonisolated(unsafe) private static let table: UnsafeMutablePointer<Slot> = {
    let table = UnsafeMutablePointer<Slot>.allocate(capacity: count)
    table.initialize(repeating: Slot(), count: count)
    return table
  }()

  static func watch() {
    _ = table
    var action = sigaction()
    action.__sigaction_handler.sa_sigaction = { _, information, _ in
      let address = UInt(bitPattern: information?.pointee._sifields._sigfault.si_addr)
      for slot in 0..<LostPages.count {
        let found = LostPages.table[slot]
        guard found.start <= address, address < found.end, let line = found.line else { continue }
        _ = write(STDERR_FILENO, line, found.length)
        _exit(1)
      }
      // Not ours: as if nobody had been asked.
      signal(SIGBUS, SIG_DFL)
      raise(SIGBUS)
    }
    action.sa_flags = SA_SIGINFO
    sigaction(SIGBUS, &action, nil)
  }

  /// - Returns: the slot, if one was free.
  static func add(_ bytes: UnsafeRawBufferPointer, _ path: String) -> Int? {
    guard let slot = (0..<count).first(where: { table[$0].end == 0 }) else { return nil }
    let program = CommandLine.arguments.first?.split(separator: "/").last ?? "icl-probe"
    let text =
      "\(program): \(path): a part is not there any more, the file was cut or its disk fails; "
      + "restore it and run the same command again\n"
    let start = UInt(bitPattern: bytes.baseAddress)
    table[slot] = Slot(
      start: start, end: start + UInt(bytes.count), line: strdup(text), length: text.utf8.count)
    return slot
  }

  static func remove(_ slot: Int) {
    let line = table[slot].line
    table[slot] = Slot()
    free(line)
  }
}
