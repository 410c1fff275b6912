import TensorCore

/// Writes a zip archive whose files are stored as they are, as `numpy.savez` does.
///
/// Source: PKWARE's APPNOTE.TXT 6.3.10, section 4.3.
struct ZipWriter {
  private var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  /// - Precondition: all files together stay below 4 GB.
  mutating func add(_ name: String, _ content: [UInt8]) {
    let start = bytes.count
    precondition(start + content.count < Int(UInt32.max), "a zip archive of 4 GB")
    let checksum = content.withUnsafeBytes { Inflate.checksum($0) }
    let size = UInt32(content.count)
    // Version 2.0, no flags, stored, the first day that the format knows.
    let common: [UInt8] =
      Self.half(20) + Self.half(0) + Self.half(0) + Self.half(0) + Self.half(0x21)
      + Self.word(checksum) + Self.word(size) + Self.word(size) + Self.half(name.utf8.count)
      + Self.half(0)
    bytes += Self.word(0x0403_4b50) + common + Array(name.utf8) + content
    directory +=
      Self.word(0x0201_4b50) + Self.half(20) + common + Self.half(0) + Self.half(0)
      + Self.half(0) + Self.word(0) + Self.word(UInt32(start)) + Array(name.utf8)
    count += 1
  }

  /// The whole archive.
  var archive: [UInt8] {
    bytes + directory + Self.word(0x0605_4b50) + Self.half(0) + Self.half(0) + Self.half(count)
      + Self.half(count) + Self.word(UInt32(directory.count)) + Self.word(UInt32(bytes.count))
      + Self.half(0)
  }

  private static func half(_ value: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt16(value).littleEndian) { Array($0) }
  }

  private static func word(_ value: UInt32) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
