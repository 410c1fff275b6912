import CZlib
import Foundation

@testable import DiffusionGAN

/// Small files of every kind, made as other programs make them.
enum DataFixtures {
  static let shape = ImageShape(channels: 1, height: 2, width: 3)

  /// A PNG of `shape` whose values count up from `first`.
  static func png(_ first: UInt8, _ shape: ImageShape = shape) throws -> [UInt8] {
    [UInt8](
      try PNGPicture(shape: shape, planes: (0..<shape.count).map { first &+ UInt8($0) })
        .encoded(place: "fixture"))
  }

  static func idx(_ extents: [Int], _ values: [UInt8]) -> [UInt8] {
    [0, 0, 8, UInt8(extents.count)]
      + extents.flatMap { bigEndian(UInt32($0)) } + values
  }

  /// Compressed by zlib: 31 window bits for gzip, -15 for bare deflate.
  static func compressed(_ bytes: [UInt8], windowBits: Int32) -> [UInt8] {
    var stream = z_stream()
    deflateInit2_(
      &stream, 9, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: bytes.count + 1000)
    let size = output.count
    input.withUnsafeMutableBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(size)
        _ = deflate(&stream, Z_FINISH)
      }
    }
    return Array(output.prefix(size - Int(stream.avail_out)))
  }

  static func gzip(_ bytes: [UInt8]) -> [UInt8] { compressed(bytes, windowBits: 31) }

  static func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  private static func bigEndian(_ number: UInt32) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }
}

/// A zip archive, field by field, so that every field can be made wrong.
struct ZipBuilder {
  struct File {
    var name: String
    var bytes: [UInt8]
    var method: UInt16 = 8
    var flags: UInt16 = 0
    /// Replace what is true.
    var size: Int?
    var checksum: UInt32?
  }

  var files: [File] = []
  /// Sizes and positions in 64 bits, as in archives beyond 4 GB.
  var isWide = false
  var comment: [UInt8] = []
  /// Replaces the number of files in the end's record.
  var count: UInt16?

  init(_ files: [(String, [UInt8])], method: UInt16 = 8) {
    self.files = files.map { File(name: $0.0, bytes: $0.1, method: method) }
  }

  var bytes: [UInt8] {
    typealias F = DataFixtures
    var body: [UInt8] = []
    var directory: [UInt8] = []
    for file in files {
      let packed =
        file.method == 8 ? F.compressed(file.bytes, windowBits: -15) : file.bytes
      let checksum =
        file.checksum ?? UInt32(crc32_z(0, file.bytes, file.bytes.count))
      let size = file.size ?? file.bytes.count
      let name = Array(file.name.utf8)
      let start = body.count
      let common =
        F.littleEndian(file.flags) + F.littleEndian(file.method) + F.littleEndian(UInt32(0))
        + F.littleEndian(checksum)
      let narrow = F.littleEndian(UInt32(packed.count)) + F.littleEndian(UInt32(size))
      body += F.littleEndian(UInt32(0x0403_4b50)) + F.littleEndian(UInt16(20)) + common + narrow
      // The local header has an extra field of its own length, which readers must skip.
      body += F.littleEndian(UInt16(name.count)) + F.littleEndian(UInt16(5)) + name
      body += [9, 9, 1, 0, 7] + packed
      let extra: [UInt8] =
        isWide
        ? F.littleEndian(UInt16(7)) + F.littleEndian(UInt16(2)) + [1, 2]
          + F.littleEndian(UInt16(1)) + F.littleEndian(UInt16(24))
          + F.littleEndian(UInt64(size)) + F.littleEndian(UInt64(packed.count))
          + F.littleEndian(UInt64(start)) : []
      let unknown = F.littleEndian(UInt32.max)
      directory += F.littleEndian(UInt32(0x0201_4b50)) + F.littleEndian(UInt16(20))
      directory += F.littleEndian(UInt16(20)) + common + (isWide ? unknown + unknown : narrow)
      directory += F.littleEndian(UInt16(name.count)) + F.littleEndian(UInt16(extra.count))
      directory += [UInt8](repeating: 0, count: 10)
      directory += (isWide ? unknown : F.littleEndian(UInt32(start))) + name + extra
    }
    var end: [UInt8] = []
    if isWide {
      let wideStart = body.count + directory.count
      end += F.littleEndian(UInt32(0x0606_4b50)) + F.littleEndian(UInt64(44))
      end += [UInt8](repeating: 0, count: 12)
      end += F.littleEndian(UInt64(files.count)) + F.littleEndian(UInt64(files.count))
      end += F.littleEndian(UInt64(directory.count)) + F.littleEndian(UInt64(body.count))
      end += F.littleEndian(UInt32(0x0706_4b50)) + F.littleEndian(UInt32(0))
      end += F.littleEndian(UInt64(wideStart)) + F.littleEndian(UInt32(1))
    }
    end += F.littleEndian(UInt32(0x0605_4b50)) + F.littleEndian(UInt32(0))
    let count = count ?? (isWide ? UInt16.max : UInt16(truncatingIfNeeded: files.count))
    end += F.littleEndian(count) + F.littleEndian(count)
    end += F.littleEndian(isWide ? UInt32.max : UInt32(directory.count))
    end += F.littleEndian(isWide ? UInt32.max : UInt32(body.count))
    end += F.littleEndian(UInt16(comment.count)) + comment
    return body + directory + end
  }
}
