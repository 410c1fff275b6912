import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Keys of the right kind, of another kind, and those that nobody reads.
struct GGUFMetadataTests {
  static func file(_ builder: GGUFBuilder, in folder: TemporaryFolder) throws -> GGUFFile {
    let path = "\(folder.path)/m.gguf"
    try Data(builder.bytes).write(to: URL(fileURLWithPath: path))
    return try GGUFFile(path)
  }

  static func problem(_ body: () throws -> Any?) -> String {
    (#expect(throws: UserError.self) { _ = try body() })?.problem ?? ""
  }

  @Test func keysOfAnotherKindAreErrorsThatNameBothKinds() throws {
    let folder = try TemporaryFolder()
    var builder = GGUFBuilder.small()
    builder.add("rope.base", "500000.0")
    builder.add("long", String(repeating: "é", count: 50))
    builder.add("infinite", kind: 6, GGUFBuilder.number(Float.infinity.bitPattern))
    let file = try Self.file(builder, in: folder)
    #expect(
      Self.problem { try file.number("rope.base") }
        == "the metadata key \"rope.base\" holds the text \"500000.0\" where a finite number belongs"
    )
    #expect(
      Self.problem { try file.integer("k.f64") }.contains("holds the number 0.1 where a whole"))
    #expect(
      Self.problem { try file.integer("k.u64") }.contains(
        "holds the whole number 18446744073709551615 where a whole number up to 9223372036854775807"
      ))
    #expect(Self.problem { try file.bool("k.u8") }.contains("the whole number 200 where true or"))
    #expect(Self.problem { try file.string("k.bool") }.contains("holds true where a text belongs"))
    #expect(Self.problem { try file.number("infinite") }.contains("holds the number inf where"))
    #expect(
      Self.problem { try file.number("long") }.contains(String(repeating: "é", count: 40) + "…\""))
    #expect(Self.problem { try file.integers("k.u8") }.contains("where a list of whole numbers"))
    #expect(
      Self.problem { try file.integers("k.flags") }
        == "the metadata key \"k.flags\" holds a list of 2 true and false where a list of whole "
        + "numbers belongs")
    #expect(
      Self.problem { try file.strings("k.nested") }.contains(
        "a list of 1 lists where a list of texts"))
    #expect(Self.problem { try file.integer("k.windows") }.contains("a list of 3 whole numbers"))
    #expect(
      Self.problem { try file.requiredInteger("none") } == "the metadata key \"none\" is missing")
    for read: (String) throws -> Any? in [
      { try file.string($0) as Any? }, { try file.integer($0) as Any? },
      { try file.number($0) as Any? }, { try file.bool($0) as Any? },
      { try file.strings($0) as Any? }, { try file.integers($0) as Any? },
      { try file.numbers($0) as Any? }, { try file.bools($0) as Any? },
    ] {
      #expect(try read("none") == nil)
    }
  }

  @Test func oneValueOrAListOfThem() throws {
    let folder = try TemporaryFolder()
    var builder = GGUFBuilder.small()
    builder.add("pattern", array: 7, [[1], [0], [1]])
    let file = try Self.file(builder, in: folder)
    #expect(try file.integerOrIntegers("k.u8", count: 2) == [200, 200])
    #expect(try file.integerOrIntegers("k.windows", count: 3) == [1, -2, 3])
    #expect(try file.integerOrIntegers("none", count: 3) == nil)
    #expect(try file.boolOrBools("pattern", count: 3) == [true, false, true])
    #expect(try file.boolOrBools("k.bool", count: 2) == [true, true])
    #expect(file.isList("pattern") && !file.isList("k.u8") && !file.isList("none"))
    #expect(
      Self.problem { try file.integerOrIntegers("k.windows", count: 4) }
        == "the metadata key \"k.windows\" holds a list of 3 where one value or a list of 4 belongs"
    )
    #expect(
      Self.problem { try file.integerOrIntegers("pattern", count: 3) }.contains("true and false"))
    #expect(Self.problem { try file.boolOrBools("k.u8", count: 3) }.contains("whole number 200"))
  }

  @Test func whatNobodyReadsStopsNothing() throws {
    let folder = try TemporaryFolder()
    var builder = GGUFBuilder.small()
    builder.add("general.description", kind: 8, GGUFBuilder.text([0xC3, 0x28]))
    builder.add("unread", array: 8, [GGUFBuilder.text([0xFF])])
    builder.addKey([0x6B, 0xFF], kind: 4, GGUFBuilder.number(1 as UInt32))
    builder.addKey([0x6B, 0xFE], kind: 4, GGUFBuilder.number(2 as UInt32))
    // A list of a list of lists, and one of nothing.
    func list(_ kind: UInt32, _ elements: [[UInt8]]) -> [UInt8] {
      GGUFBuilder.number(kind) + GGUFBuilder.number(UInt64(elements.count)) + elements.joined()
    }
    builder.add(
      "nested", kind: 9, list(9, [list(9, [list(5, [[1, 0, 0, 0]]), list(8, [])]), list(9, [])]))
    builder.add("empty", array: 6, [])
    let file = try Self.file(builder, in: folder)
    #expect(try file.vector("c") == [1, -2])
    #expect(try file.integer("k\u{FFFD}") == 1)
    #expect(try file.strings("empty") == [] && file.integers("empty") == [])
    #expect(try file.tokenizerVocabulary().pieces == ["<unk>", "é", "b"])
    #expect(
      Self.problem { try file.string("general.description") }
        == "the metadata key \"general.description\" holds a text that is not UTF-8 where a text "
        + "belongs")
    #expect(Self.problem { try file.strings("unread") } == "unread[0] is not valid UTF-8")
  }

  /// A tensor of a type that is not read is no matter before it is needed.
  @Test func unneededTypesStopNothing() throws {
    let folder = try TemporaryFolder()
    var builder = GGUFBuilder.small()
    builder.addTensor("odd", shape: [2, 3], type: 26, bytes: [UInt8](repeating: 0, count: 24))
    let file = try Self.file(builder, in: folder)
    #expect(file.names == ["a", "b", "c", "odd"])
    #expect(file.type("odd") == "I32" && file.type("b") == "Q8_0" && file.type("none") == nil)
    #expect(
      file.shape("odd") == [3, 2] && file.shape("b") == [2, 1, 32] && file.shape("none") == nil)
    #expect(try file.vector("c") == [1, -2])
    #expect(
      Self.problem { try file.matrix("odd") } == "tensor \"odd\" has the unsupported type I32 (26)")
  }

  @Test(
    arguments: [
      (Array("<!DOCTYPE html><html></html>".utf8), "is a web page"),
      (
        Array(MisplacedPointer.text.utf8),
        "is a Git-LFS pointer, not the file itself, which has 77 bytes"
      ),
      ([0x50, 0x4B, 3, 4, 0, 0], "is a zip archive"),
      (Array("lmgg".utf8), "is a model file of llama.cpp from before GGUF"),
      ([2, 0, 0, 0, 0, 0, 0, 0, 0x7B, 0x7D], "is a safetensors file"),
      ([], "is empty"),
    ] as [([UInt8], String)])
  func otherFilesAreNamed(bytes: [UInt8], message: String) throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/m.gguf"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    #expect(Self.problem { try GGUFFile(path) }.hasPrefix(message))
  }

  enum MisplacedPointer {
    static let text = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 77\n"
  }
}
