import Foundation
import TensorCore

/// A file of rows, each a JSON object on a line of its own. It is read in parts: a million rows cost
/// the memory of one.
public struct RowFile: Sendable {
  let folder: String
  let name: String

  public init(folder: String, name: String) {
    self.folder = folder
    self.name = name
  }

  var path: String { "\(folder)/\(name)" }

  /// Number and digest of the rows.
  struct Content {
    let count: Int
    let sha256: String

    func json(of file: RowFile) -> JSONValue {
      ["file": .string(file.name), "count": .integer(count), "sha256": .string(sha256)]
    }
  }

  /// The row on a line, or what is wrong with it.
  static func row(_ line: Data, place: String) throws -> JSONReader {
    guard line.first == UInt8(ascii: "{") else {
      throw UserError("not a JSON object", at: place)
    }
    return JSONReader(try JSONValue(parsing: line, place: place), place: place)
  }

  /// Calls `body` with every whole line, without its line break, and its number from 1.
  ///
  /// - Parameters:
  ///   - start: bytes to pass over, whole lines.
  ///   - length: bytes to read; nil for all that are there.
  func forEachLine(
    from start: Int = 0, length: Int? = nil, _ body: (Data, Int) throws -> Void
  ) throws {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return }
      throw Files.systemError("cannot be read", at: path)
    }
    defer { close(descriptor) }
    if start > 0, lseek(descriptor, off_t(start), SEEK_SET) < 0 {
      throw Files.systemError("cannot be read", at: path)
    }
    var left = length ?? Int.max
    var number = 0
    var pending = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while left > 0 {
      let wanted = min(buffer.count, left)
      let count = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, wanted) }
      if count < 0 {
        if errno == EINTR { continue }
        throw Files.systemError("cannot be read", at: path)
      }
      if count == 0 { return }
      left -= count
      var rest = buffer[..<count]
      while let end = rest.firstIndex(of: 0x0A) {
        number += 1
        try body(pending + rest[..<end], number)
        pending = Data()
        rest = rest[(end + 1)...]
      }
      pending.append(contentsOf: rest)
    }
  }

  /// Calls `body` with every row, in order; unreadable lines at the end are left out, since a crash
  /// leaves such.
  ///
  /// - Parameter length: bytes to read; nil for all that are there.
  /// - Throws: `UserError` for unreadable lines that others follow.
  public func forEachRow(length: Int? = nil, _ body: (JSONReader) throws -> Void) throws {
    var unreadable: [Int] = []
    var problem = ""
    var isDamaged = false
    try forEachLine(length: length) { line, number in
      guard !line.isEmpty else { return }
      let reader: JSONReader
      do {
        reader = try Self.row(line, place: "\(path):\(number)")
      } catch let error as UserError {
        if unreadable.isEmpty { problem = error.problem }
        unreadable.append(number)
        return
      }
      // The rest is only looked through, so that the remedy is one for all.
      if !unreadable.isEmpty { isDamaged = true }
      if !isDamaged { try body(reader) }
    }
    if isDamaged { throw damage(problem, unreadable) }
  }

  private func damage(_ problem: String, _ lines: [Int]) -> UserError {
    let more = lines.count > 1 ? ", and \(lines.count - 1) more lines like it" : ""
    var ranges: [ClosedRange<Int>] = []
    for line in lines {
      if let last = ranges.last, last.upperBound + 1 == line {
        ranges[ranges.count - 1] = last.lowerBound...line
      } else {
        ranges.append(line...line)
      }
    }
    let script = ranges.map { range in
      range.count == 1 ? "\(range.lowerBound)d" : "\(range.lowerBound),\(range.upperBound)d"
    }
    let command = ShellWord.line(["sed", "-i", script.joined(separator: ";"), path])
    return UserError(
      "the row cannot be read (\(problem))\(more)", at: "\(path):\(lines.first ?? 1)",
      remedy: "drop what cannot be read with: \(command), and run the same command again, "
        + "which computes it anew")
  }

  /// Counts and digests the whole lines.
  func content(length: Int? = nil) throws -> Content {
    var hash = SHA256()
    var count = 0
    try forEachLine(length: length) { line, _ in
      hash.update(line)
      hash.update(Data([0x0A]))
      if !line.isEmpty { count += 1 }
    }
    return Content(count: count, sha256: hash.finalize())
  }

  /// Bytes up to the end of the last row that can be read, and all bytes; only the end is looked at.
  func length() throws -> (whole: Int, total: Int) {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return (0, 0) }
      throw Files.systemError("cannot be read", at: path)
    }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    guard size >= 0 else { throw Files.systemError("cannot be read", at: path) }
    var end = Int(size)
    while end > 0 {
      let start = try lineStart(before: end, descriptor)
      var line = try bytes(start..<end, descriptor)
      if line.popLast() == 0x0A,
        line.isEmpty || (try? Self.row(Data(line), place: path)) != nil
      {
        break
      }
      end = start
    }
    return (end, Int(size))
  }

  /// Where the line begins whose last byte is before `end`.
  private func lineStart(before end: Int, _ descriptor: Int32) throws -> Int {
    var upper = end - 1
    while upper > 0 {
      let lower = max(0, upper - 16_384)
      if let found = try bytes(lower..<upper, descriptor).lastIndex(of: 0x0A) {
        return lower + found + 1
      }
      upper = lower
    }
    return 0
  }

  private func bytes(_ range: Range<Int>, _ descriptor: Int32) throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: range.count)
    var done = 0
    while done < buffer.count {
      let count = buffer.withUnsafeMutableBytes {
        pread(
          descriptor, $0.baseAddress.map { $0 + done }, $0.count - done,
          off_t(range.lowerBound + done))
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw Files.systemError("cannot be read", at: path)
      }
      // Another process cut the file meanwhile.
      if count == 0 { return Array(buffer[..<done]) }
      done += count
    }
    return buffer
  }
}
