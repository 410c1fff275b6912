import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Models that lie in several GGUF files.
struct GGUFPartsTests {
  /// The tensors a, b and c of `GGUFBuilder.small`, one in each part, the metadata in the first.
  static func parts(_ change: (Int, inout GGUFBuilder) -> Void = { _, _ in }) -> [GGUFBuilder] {
    (0..<3).map { number in
      var part = number == 0 ? GGUFBuilder.small(tensors: false) : GGUFBuilder()
      part.add("split.no", kind: 2, GGUFBuilder.number(UInt16(number)))
      part.add("split.count", kind: 2, GGUFBuilder.number(3 as UInt16))
      part.add("split.tensors.count", kind: 5, GGUFBuilder.number(3 as Int32))
      part.addTensor(
        ["a", "b", "c"][number], shape: [2], type: 0,
        bytes: [Float(number), 7].flatMap { GGUFBuilder.number($0.bitPattern) })
      change(number, &part)
      return part
    }
  }

  static func name(_ number: Int) -> String { "tiny-0000\(number + 1)-of-00003.gguf" }

  static func folder(_ parts: [GGUFBuilder]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (number, part) in parts.enumerated() {
      try Data(part.bytes).write(to: URL(fileURLWithPath: "\(folder.path)/\(name(number))"))
    }
    return folder
  }

  static func error(_ folder: TemporaryFolder, _ name: String) throws -> UserError {
    try #require(throws: UserError.self) { try GGUFFile("\(folder.path)/\(name)") }
  }

  @Test(arguments: 0..<3) func anyPartOpensTheWhole(number: Int) throws {
    let folder = try Self.folder(Self.parts())
    let file = try GGUFFile("\(folder.path)/\(Self.name(number))")
    #expect(file.names == ["a", "b", "c"])
    #expect(try file.vector("a") == [0, 7])
    #expect(try file.vector("b") == [1, 7])
    #expect(try file.vector("c") == [2, 7])
    #expect(try file.tokenizerVocabulary().pieces == ["<unk>", "é", "b"])
    #expect(file.notes == ["\(Self.name(number)) is part \(number + 1) of 3: all parts were read"])
    #expect(file.paths == (0..<3).map { "\(folder.path)/\(Self.name($0))" })
    #expect(file.path == "\(folder.path)/\(Self.name(number))")
  }

  @Test func aWholeFileIsNoPart() throws {
    let folder = try TemporaryFolder()
    var builder = GGUFBuilder.small()
    builder.add("split.count", kind: 2, GGUFBuilder.number(1 as UInt16))
    let file = try GGUFMetadataTests.file(builder, in: folder)
    #expect(file.notes.isEmpty && file.paths == [file.path])
  }

  @Test func aMissingPartIsNamed() throws {
    let folder = try Self.folder(Self.parts())
    try FileManager.default.removeItem(atPath: "\(folder.path)/\(Self.name(1))")
    let error = try Self.error(folder, Self.name(0))
    #expect(error.place == "\(folder.path)/\(Self.name(0))")
    #expect(
      error.problem
        == "is part 1 of 3 of a model, and part 2, tiny-00002-of-00003.gguf, is missing")
  }

  @Test func aRenamedPartIsNamed() throws {
    let folder = try TemporaryFolder()
    try Data(Self.parts()[0].bytes).write(to: URL(fileURLWithPath: "\(folder.path)/model.gguf"))
    #expect(
      try Self.error(folder, "model.gguf").problem
        == "is part 1 of 3 of a model, but its name does not end in -00001-of-00003.gguf, by which "
        + "the other parts are found")
  }

  @Test func partsThatDoNotBelongTogetherAreNamed() throws {
    func error(
      opening number: Int = 0, _ change: (inout [GGUFBuilder]) -> Void
    ) throws -> (String?, String) {
      var parts = Self.parts()
      change(&parts)
      let error = try Self.error(Self.folder(parts), Self.name(number))
      return (error.place?.split(separator: "/").last.map(String.init), error.problem)
    }
    // Parts 2 and 3 have changed places.
    #expect(
      try error { $0.swapAt(1, 2) }
        == (Self.name(1), "is named part 2 of 3 but says that it is part 3 of 3"))
    #expect(
      try error { $0[1] = .small() }
        == (Self.name(1), "is named part 2 of 3 but says that it is a whole model"))
    #expect(
      try error {
        $0 = Self.parts {
          if $0 == 2 { $1.addTensor("a", shape: [1], type: 0, bytes: [0, 0, 0, 0]) }
        }
      } == (Self.name(2), "has the tensor \"a\", which tiny-00001-of-00003.gguf has, too"))
    #expect(
      try error {
        $0 = Self.parts {
          if $0 == 2 { $1.addTensor("d", shape: [1], type: 0, bytes: [0, 0, 0, 0]) }
        }
      } == (Self.name(0), "speaks of 3 tensors, but the 3 parts have 4"))
    #expect(
      try error { $0 = Self.parts { if $0 == 1 { $1.add("general.architecture", "gpt2") } } }
        == (
          Self.name(1),
          "is of the architecture gpt2, tiny-00001-of-00003.gguf of llama"
        ))
    var other = GGUFBuilder()
    other.add("split.no", kind: 2, GGUFBuilder.number(1 as UInt16))
    other.add("split.count", kind: 2, GGUFBuilder.number(3 as UInt16))
    other.add("split.tensors.count", kind: 5, GGUFBuilder.number(9 as Int32))
    #expect(
      try error { $0[1] = other }
        == (Self.name(1), "is of a model with 9 tensors, tiny-00001-of-00003.gguf of one with 3"))
    var odd = GGUFBuilder()
    odd.add("split.no", kind: 2, GGUFBuilder.number(5 as UInt16))
    odd.add("split.count", kind: 2, GGUFBuilder.number(3 as UInt16))
    #expect(
      try error { $0[0] = odd } == (Self.name(0), "says that it is part 5 of 3, counted from 0"))
    var typed = GGUFBuilder()
    typed.add("split.count", "3")
    #expect(try error { $0[0] = typed }.1.contains("\"split.count\" holds the text \"3\""))
  }
}
