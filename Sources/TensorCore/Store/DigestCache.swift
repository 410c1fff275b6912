import Foundation
import Synchronization

/// SHA-256 digests of large files, remembered from one start of the program to the next.
///
/// A digest holds as long as the file's device, inode, size and times of its last changes, in
/// nanoseconds, do. Lines of JSON, one a file; one that cannot be read counts as missing. The file is
/// replaced whole, so that another program never sees half of it; of two programs that add a line at
/// the same time, one may have to do so again.
public struct DigestCache: Sendable {
  /// What of a file's state tells whether it was changed.
  fileprivate struct Stamp: Equatable {
    let device: Int
    let inode: Int
    let bytes: Int
    /// Nanoseconds since 1970: of the contents, and of the contents or anything else about the file.
    /// Programs can set the first back, not the second.
    let modified: Int
    let changed: Int
  }

  fileprivate struct Line {
    let path: String
    let stamp: Stamp
    let digest: String
  }

  /// The file of remembered digests.
  public let path: String
  /// Smaller files, in bytes, are digested in no time and not remembered.
  private let smallest: Int
  private let hash: @Sendable (String) throws -> String
  private let now: @Sendable () -> Date

  /// Longest that a file system may take to give a change another time (FAT: 2 s).
  private static let settlingTime = 2.0
  /// Most files that are remembered; of more, the latest.
  private static let mostLines = 1000
  /// In this process; other processes are kept apart by the renaming.
  private static let writing = Mutex(())

  public init(path: String) {
    self.init(
      path: path, smallest: 1 << 20, hash: { try SHA256.hash(ofFile: $0) }, now: { Date() })
  }

  init(
    path: String, smallest: Int, hash: @escaping @Sendable (String) throws -> String,
    now: @escaping @Sendable () -> Date
  ) {
    self.path = path
    self.smallest = smallest
    self.hash = hash
    self.now = now
  }

  /// The SHA-256 digest of a file, in hexadecimal; read only if it is not remembered.
  ///
  /// - Throws: `UserError` naming the file if it cannot be read. That digests cannot be remembered
  ///   is no error.
  public func digest(ofFile file: String) throws -> String {
    guard let stamp = Stamp(file), stamp.bytes >= smallest,
      let place = file.withCString({ realpath($0, nil) })
    else { return try hash(file) }
    defer { free(place) }
    let name = String(cString: place)
    if let line = lines().last(where: { $0.path == name }), line.stamp == stamp {
      return line.digest
    }
    let digest = try hash(file)
    // A file that changes now could change once more without another time.
    let latest = now().timeIntervalSince1970 - Self.settlingTime
    if Stamp(file) == stamp, Double(max(stamp.modified, stamp.changed)) < latest * 1e9 {
      remember(Line(path: name, stamp: stamp, digest: digest))
    }
    return digest
  }

  private func lines() -> [Line] {
    guard let data = try? Files.read(path) else { return [] }
    return data.split(separator: UInt8(ascii: "\n")).compactMap { Line(Data($0)) }
  }

  private func remember(_ line: Line) {
    Self.writing.withLock { _ in
      let kept = lines().filter { $0.path != line.path } + [line]
      let text = kept.suffix(Self.mostLines).map { $0.json.text + "\n" }.joined()
      try? Files.makeFolder(Files.folder(of: path))
      try? Files.write(Data(text.utf8), to: path)
    }
  }
}

extension DigestCache.Stamp {
  /// nil for what is not a file that can be looked at.
  fileprivate init?(_ path: String) {
    var information = stat()
    guard stat(path, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
      return nil
    }
    func nanoseconds(_ time: timespec) -> Int { time.tv_sec * 1_000_000_000 + time.tv_nsec }
    self.init(
      device: Int(truncatingIfNeeded: information.st_dev),
      inode: Int(truncatingIfNeeded: information.st_ino), bytes: Int(information.st_size),
      modified: nanoseconds(information.st_mtim), changed: nanoseconds(information.st_ctim))
  }
}

extension DigestCache.Line {
  /// nil for a line that this program would not have written.
  fileprivate init?(_ line: Data) {
    guard let value = try? JSONValue(parsing: line, place: "") else { return nil }
    func number(_ key: String) -> Int? {
      if case .integer(let number) = value[key] { number } else { nil }
    }
    guard case .string(let path) = value["path"], let device = number("device"),
      let inode = number("inode"), let bytes = number("bytes"),
      let modified = number("modified"), let changed = number("changed"),
      case .string(let digest) = value["sha256"], SHA256.isDigest(digest)
    else { return nil }
    self.init(
      path: path,
      stamp: DigestCache.Stamp(
        device: device, inode: inode, bytes: bytes, modified: modified, changed: changed),
      digest: digest)
  }

  fileprivate var json: JSONValue {
    .object([
      ("path", .string(path)), ("device", .integer(stamp.device)), ("inode", .integer(stamp.inode)),
      ("bytes", .integer(stamp.bytes)), ("modified", .integer(stamp.modified)),
      ("changed", .integer(stamp.changed)), ("sha256", .string(digest)),
    ])
  }
}
