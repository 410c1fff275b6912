import CZlib
import Foundation
import TensorCore

/// Decompression by zlib, bounded by what the caller expects.
enum Inflate {
  /// How the compressed bytes are wrapped.
  enum Wrapping {
    case gzip
    /// No header and no checksum, as in zip archives.
    case none

    /// zlib's `windowBits`.
    var windowBits: Int32 { self == .gzip ? 15 + 16 : -15 }
  }

  /// The first `limit` bytes, or all of them where they are fewer, and whether more would follow.
  ///
  /// - Throws: `UserError` for bytes that end too early or are damaged.
  static func bytes(
    _ compressed: UnsafeRawBufferPointer, wrapping: Wrapping, limit: Int, place: String
  ) throws -> (bytes: [UInt8], isMore: Bool) {
    guard let input = compressed.baseAddress, !compressed.isEmpty else {
      throw damaged("holds no compressed data", place)
    }
    guard compressed.count <= UInt32.max, limit < UInt32.max else {
      throw UserError(
        "compressed data of 4 GB or more cannot be read", at: place,
        remedy: "cut the data into smaller files")
    }
    var stream = z_stream()
    guard
      inflateInit2_(
        &stream, wrapping.windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw UserError("zlib cannot start", at: place, remedy: "free some memory") }
    defer { inflateEnd(&stream) }
    // zlib does not write to its input, but its declaration does not say so.
    stream.next_in = UnsafeMutablePointer(
      mutating: input.assumingMemoryBound(to: UInt8.self))
    stream.avail_in = UInt32(compressed.count)
    var status = Z_OK
    // One byte beyond the limit tells whether more would follow.
    var output = [UInt8](unsafeUninitializedCapacity: limit + 1) { buffer, initialized in
      stream.next_out = buffer.baseAddress
      stream.avail_out = UInt32(limit + 1)
      repeat {
        status = inflate(&stream, Z_FINISH)
        // A gzip file is one member or several, whose contents follow each other (RFC 1952, 2.2).
      } while status == Z_STREAM_END && stream.avail_out > 0 && wrapping == .gzip
        && stream.avail_in > 1 && stream.next_in[0] == 0x1F && stream.next_in[1] == 0x8B
        && inflateReset(&stream) == Z_OK
      initialized = limit + 1 - Int(stream.avail_out)
    }
    if output.count > limit {
      output.removeLast()
      return (output, true)
    }
    switch status {
    case Z_STREAM_END: return (output, false)
    case Z_BUF_ERROR where stream.avail_in == 0:
      throw damaged("is cut short: its compressed data end too early", place)
    default:
      let reason = stream.msg.map { String(cString: $0) } ?? "error \(status)"
      throw damaged("is damaged: \(reason)", place)
    }
  }

  /// CRC-32 as zip archives keep it.
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(
      truncatingIfNeeded: crc32_z(
        0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
  }

  private static func damaged(_ problem: String, _ place: String) -> UserError {
    UserError(problem, at: place, remedy: "download or copy the file again")
  }
}
