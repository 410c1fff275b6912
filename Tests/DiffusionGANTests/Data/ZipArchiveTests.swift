import TensorCore
import Testing

@testable import DiffusionGAN

@Suite struct ZipArchiveTests {
  static let content = [UInt8](repeating: 5, count: 5000) + (0..<200).map { UInt8($0) }

  private func read(_ builder: ZipBuilder) throws -> [String: [UInt8]] {
    try read(builder.bytes)
  }

  private func read(_ bytes: [UInt8]) throws -> [String: [UInt8]] {
    let scratch = try Scratch()
    let archive = try ZipArchive(scratch.write("a.zip", bytes))
    return try Dictionary(
      archive.entries.map { ($0.name, try archive.read($0)) }, uniquingKeysWith: { $1 })
  }

  @Test(arguments: [UInt16(0), 8], [false, true]) func files(
    _ method: UInt16, _ isWide: Bool
  ) throws {
    var builder = ZipBuilder([("a", Self.content), ("b/", []), ("b/c", [1])], method: method)
    builder.isWide = isWide
    #expect(try read(builder) == ["a": Self.content, "b/c": [1]])
  }

  @Test func emptyArchive() throws { #expect(try read(ZipBuilder([])).isEmpty) }

  @Test func aCommentMayFollow() throws {
    var builder = ZipBuilder([("a", Self.content)])
    builder.comment = [UInt8](repeating: 0x20, count: 65_535)
    #expect(try read(builder) == ["a": Self.content])
  }

  @Test func moreFilesThanTheEndSays() throws {
    var builder = ZipBuilder([("a", [1]), ("b", [2]), ("c", [3])])
    builder.count = 2
    expectUserError("says that it has 2 files, and lists 3") { _ = try read(builder) }
    // Programs that know no wider record leave the count to wrap.
    let many = (0..<65_538).map { ("\($0)", [UInt8]()) }
    #expect(try read(ZipBuilder(many, method: 0)).count == 65_538)
  }

  @Test func bombs() throws {
    var builder = ZipBuilder([("a.png", [UInt8](repeating: 0, count: 1 << 20))])
    builder.files[0].size = 1000
    expectUserError("a.zip, a.png: is damaged: unpacks to more than the 1000 bytes it claims") {
      _ = try read(builder)
    }
    builder.files[0].size = 1 << 30
    expectUserError("unpacks to 1073741824 bytes, more than the 67108864 allowed") {
      _ = try read(builder)
    }
    builder.files[0].size = 1 << 21
    expectUserError("no 1033 bytes unpack to 2097152") { _ = try read(builder) }
    builder.files[0].size = 1 << 20 | 1
    expectUserError("unpacks to 1048576 bytes where 1048577 are claimed") {
      _ = try read(builder)
    }
  }

  @Test(arguments: [UInt16(0), 8]) func wrongChecksum(_ method: UInt16) throws {
    var builder = ZipBuilder([("a.png", Self.content)], method: method)
    builder.files[0].checksum = 1
    expectUserError("a.zip, a.png: is damaged: its checksum (CRC-32) is wrong", "again") {
      _ = try read(builder)
    }
  }

  @Test func unreadableEntries() throws {
    var builder = ZipBuilder([("a.png", Self.content)])
    builder.files[0].flags = 1
    expectUserError("is encrypted", "without a password") { _ = try read(builder) }
    builder = ZipBuilder([("a.png", Self.content)], method: 14)
    expectUserError("compressed by method 14", "with deflate") { _ = try read(builder) }
  }

  /// Whatever is cut off or changed, there is an error or the right content, never a crash.
  @Test func damageIsSeenOrHarmless() throws {
    var builder = ZipBuilder([("a", [1, 2, 3]), ("b", [4])], method: 0)
    for isWide in [false, true] {
      builder.isWide = isWide
      let bytes = builder.bytes
      for end in 0..<bytes.count {
        #expect(throws: UserError.self, "cut at \(end)") {
          _ = try read(Array(bytes.prefix(end)))
        }
      }
      for position in bytes.indices {
        for value: UInt8 in [0, 0x7F, 0xFF] {
          var changed = bytes
          changed[position] = value
          do {
            let found = try read(changed)
            for (_, content) in found {
              #expect([[1, 2, 3], [4], []].contains(content), "byte \(position) = \(value)")
            }
          } catch {
            #expect(error is UserError)
          }
        }
      }
    }
  }

  @Test func notAnArchive() throws {
    expectUserError("a.zip: is not a zip archive") {
      _ = try read([UInt8](repeating: 7, count: 1000))
    }
  }
}
