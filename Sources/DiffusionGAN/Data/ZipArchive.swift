import Foundation
import TensorCore

/// The files inside a zip archive, stored or deflated, archives beyond 4 GB or 65,535 files included.
///
/// Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
struct ZipArchive: Sendable {
  struct Entry: Sendable {
    let name: String
    fileprivate let isEncrypted: Bool
    fileprivate let method: Int
    fileprivate let checksum: UInt32
    fileprivate let compressedSize: Int
    fileprivate let size: Int
    /// Where the entry's local header begins.
    fileprivate let offset: Int

    /// Whether its bytes lie in the archive as they are.
    var isStored: Bool { method == 0 }
  }

  let path: String
  /// Files in the order of the archive's directory; folders are left out.
  let entries: [Entry]
  private let file: MappedFile

  /// Largest file that is unpacked: 64 MB.
  private static let mostBytes = 64 << 20

  init(_ path: String) throws { try self.init(MappedFile(path)) }

  init(_ file: MappedFile) throws {
    self.file = file
    path = file.path
    entries = try ZipDirectory(file).entries()
  }

  /// The bytes of one file, its checksum verified.
  func read(_ entry: Entry) throws -> [UInt8] {
    guard entry.size <= Self.mostBytes else { throw tooLarge(entry) }
    return try contents(of: entry).array
  }

  /// The same, left in the archive where the file is stored.
  func contents(of entry: Entry) throws -> FileBytes {
    let place = "\(path), \(entry.name)"
    let header = ZipFields(file, at: entry.offset)
    guard header.hasBytes(30), header.word(0) == 0x0403_4b50 else {
      throw damaged("its local header is not where the directory says", place)
    }
    let start = entry.offset + 30 + header.half(26) + header.half(28)
    guard start <= file.bytes.count, entry.compressedSize <= file.bytes.count - start else {
      throw damaged("its data reach beyond the archive's end", place)
    }
    guard !entry.isEncrypted else {
      throw UserError("is encrypted", at: place, remedy: "make an archive without a password")
    }
    let packed = FileBytes(file, start..<start + entry.compressedSize)
    let contents: FileBytes
    switch entry.method {
    case 0: contents = packed
    case 8:
      guard entry.size <= Self.mostBytes else { throw tooLarge(entry) }
      // Deflate makes at most 258 bytes of two bits.
      guard entry.size / 1032 <= entry.compressedSize else {
        throw damaged("no \(entry.compressedSize) bytes unpack to \(entry.size)", place)
      }
      let unpacked = try packed.withBytes {
        try Inflate.bytes($0, wrapping: .none, limit: entry.size, place: place)
      }
      guard !unpacked.isMore else {
        throw damaged("unpacks to more than the \(entry.size) bytes it claims", place)
      }
      contents = FileBytes(MappedFile(copying: unpacked.bytes, path: place))
    default:
      throw UserError(
        "is compressed by method \(entry.method), readable are 0 (stored) and 8 (deflated)",
        at: place, remedy: "make the archive anew with deflate")
    }
    guard contents.count == entry.size else {
      throw damaged("unpacks to \(contents.count) bytes where \(entry.size) are claimed", place)
    }
    guard contents.withBytes(Inflate.checksum) == entry.checksum else {
      throw damaged("its checksum (CRC-32) is wrong", place)
    }
    return contents
  }

  private func tooLarge(_ entry: Entry) -> UserError {
    UserError(
      "unpacks to \(entry.size) bytes, more than the \(Self.mostBytes) allowed",
      at: "\(path), \(entry.name)", remedy: "remove it from the archive")
  }

  private func damaged(_ problem: String, _ place: String) -> UserError {
    UserError("is damaged: \(problem)", at: place, remedy: "download or make the archive again")
  }
}

/// Little-endian fields of a record in the archive.
private struct ZipFields {
  let bytes: UnsafeRawBufferPointer
  let start: Int

  init(_ file: MappedFile, at start: Int) {
    bytes = file.bytes
    self.start = start
  }

  func hasBytes(_ count: Int) -> Bool { start >= 0 && start <= bytes.count - count }

  func half(_ offset: Int) -> Int { Int(load(offset, UInt16.self)) }
  func word(_ offset: Int) -> Int { Int(load(offset, UInt32.self)) }

  /// Values beyond `Int`'s range, which no real archive has, become the largest.
  func long(_ offset: Int) -> Int { Int(clamping: load(offset, UInt64.self)) }

  private func load<Number: FixedWidthInteger & BitwiseCopyable>(
    _ offset: Int, _ type: Number.Type
  ) -> Number {
    Number(littleEndian: bytes.loadUnaligned(fromByteOffset: start + offset, as: type))
  }
}

/// The list of files at an archive's end.
private struct ZipDirectory {
  let file: MappedFile
  /// Position and bytes of the list.
  private let start: Int
  private let size: Int
  /// Files of the list; of more than 65,535 in a narrow record what is left after division by 65,536.
  private let count: Int
  private let isWide: Bool

  init(_ file: MappedFile) throws {
    self.file = file
    let end = try Self.end(of: file)
    let record = ZipFields(file, at: end)
    var (count, size, start) = (record.half(10), record.word(12), record.word(16))
    // An archive beyond the old limits says so before the old record.
    let locator = ZipFields(file, at: end - 20)
    isWide = locator.hasBytes(20) && locator.word(0) == 0x0706_4b50
    if isWide {
      let wide = ZipFields(file, at: locator.long(8))
      guard wide.hasBytes(56), wide.word(0) == 0x0606_4b50 else { throw Self.damaged(file.path) }
      (count, size, start) = (wide.long(32), wide.long(40), wide.long(48))
    }
    guard size <= end, start <= end - size, count <= size / 46 else {
      throw Self.damaged(file.path)
    }
    (self.start, self.size, self.count) = (start, size, count)
  }

  func entries() throws -> [ZipArchive.Entry] {
    var entries: [ZipArchive.Entry] = []
    var position = start
    let end = start + size
    var found = 0
    while position < end {
      let record = ZipFields(file, at: position)
      guard position + 46 <= end, record.word(0) == 0x0201_4b50 else {
        throw Self.damaged(file.path)
      }
      let (nameSize, extraSize) = (record.half(28), record.half(30))
      let next = position + 46 + nameSize + extraSize + record.half(32)
      guard next <= end else { throw Self.damaged(file.path) }
      let nameStart = position + 46
      let name = String(decoding: file.bytes[nameStart..<nameStart + nameSize], as: UTF8.self)
      var numbers = [record.word(24), record.word(20), record.word(42)]
      widen(&numbers, extra: nameStart + nameSize..<nameStart + nameSize + extraSize)
      if !name.hasSuffix("/") {
        entries.append(
          ZipArchive.Entry(
            name: name, isEncrypted: record.half(8) & 1 != 0, method: record.half(10),
            checksum: UInt32(record.word(16)), compressedSize: numbers[1], size: numbers[0],
            offset: numbers[2]))
      }
      position = next
      found += 1
    }
    guard isWide ? found == count : found & 0xFFFF == count else {
      throw UserError(
        "is damaged: it says that it has \(count) files, and lists \(found)", at: file.path,
        remedy: "download or make the archive again")
    }
    return entries
  }

  /// Replaces numbers that did not fit 32 bits by those of the extra field 1, in its order.
  private func widen(_ numbers: inout [Int], extra: Range<Int>) {
    var position = extra.lowerBound
    while position + 4 <= extra.upperBound {
      let field = ZipFields(file, at: position)
      let size = field.half(2)
      guard position + 4 + size <= extra.upperBound else { return }
      if field.half(0) == 1 {
        var offset = 4
        for i in numbers.indices where numbers[i] == 0xFFFF_FFFF && offset + 8 <= size + 4 {
          numbers[i] = field.long(offset)
          offset += 8
        }
      }
      position += 4 + size
    }
  }

  /// Where the end record begins; a comment of up to 65,535 bytes may follow it.
  private static func end(of file: MappedFile) throws -> Int {
    let last = file.bytes.count - 22
    for position in stride(from: last, through: max(last - 65_535, 0), by: -1) where position >= 0 {
      if ZipFields(file, at: position).word(0) == 0x0605_4b50 { return position }
    }
    throw UserError(
      "is not a zip archive, or its end is missing", at: file.path,
      remedy: "download or make the archive again")
  }

  private static func damaged(_ path: String) -> UserError {
    UserError(
      "is damaged: its list of files is broken", at: path,
      remedy: "download or make the archive again")
  }
}
