import Foundation
import TensorCore

/// Standard input line by line, as bytes: `readLine` mends what is not UTF-8 without a word.
public struct StandardInput: ~Copyable {
  private var buffer: [UInt8] = []
  /// Bytes of the buffer that have been handed out.
  private var used = 0
  private var isAtEnd = false

  public init() {}

  /// The next line without its line break, or nil at the end.
  ///
  /// - Throws: `UserError` where standard input cannot be read.
  public mutating func nextLine() throws -> [UInt8]? {
    var searched = used
    while true {
      if let end = buffer[searched...].firstIndex(of: 0x0A) {
        defer { used = end + 1 }
        return Array(buffer[used..<end])
      }
      if isAtEnd {
        defer { used = buffer.count }
        return used < buffer.count ? Array(buffer[used...]) : nil
      }
      buffer.removeFirst(used)
      used = 0
      searched = buffer.count
      try readMore()
    }
  }

  private mutating func readMore() throws {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    var count = -1
    repeat { count = read(STDIN_FILENO, &chunk, chunk.count) } while count < 0 && errno == EINTR
    guard count >= 0 else { throw Files.systemError("cannot be read", at: "standard input") }
    isAtEnd = count == 0
    buffer += chunk[..<count]
  }
}
