import Foundation
import TensorCore
import Testing

@testable import Transformer

struct GGUFTests {
  func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("icl-probe-test-\(UUID().uuidString).gguf").path
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  func read(_ bytes: [UInt8], _ body: (GGUFFile) throws -> Void) throws {
    try withFile(bytes) { try body(GGUFFile($0)) }
  }

  /// What reading all of the file says without the file's name, or nil where there is no error.
  func problem(at path: String) throws -> String? {
    do {
      try readEverything(GGUFFile(path))
      return nil
    } catch let error as UserError {
      #expect(error.place == path && !error.description.contains("\n"))
      return error.problem
    }
  }

  func problem(_ bytes: [UInt8]) throws -> String? {
    var found: String?
    try withFile(bytes) { found = try problem(at: $0) }
    return found
  }

  func readEverything(_ file: GGUFFile) throws {
    for name in file.tensors.keys { _ = try file.vector(name) }
    for key in file.metadata.keys {
      let reads: [(String) throws -> Any?] = [
        { try file.string($0) }, { try file.integer($0) }, { try file.number($0) },
        { try file.bool($0) }, { try file.integers($0) }, { try file.numbers($0) },
      ]
      for read in reads {
        do {
          _ = try read(key)
        } catch let error as UserError {
          #expect(error.problem.hasPrefix("the metadata key \"\(key)\" holds "))
        }
      }
      if case .array(let array)? = file.metadata[key], array.elementKind == .string {
        _ = try file.strings(key)
      }
    }
    _ = try file.tokenizerVocabulary()
  }

  @Test(arguments: [2, 3] as [UInt32]) func readsMetadata(version: UInt32) throws {
    var builder = GGUFBuilder.small()
    builder.version = version
    try read(builder.bytes) { file throws in
      #expect(file.version == Int(version))
      #expect(try file.string("general.architecture") == "llama")
      #expect(try file.integer("k.u8") == 200)
      #expect(try file.integer("k.i8") == -2)
      #expect(try file.integer("k.u16") == 60_000)
      #expect(try file.integer("k.i16") == -3)
      #expect(try file.integer("k.u32") == 4_000_000_000)
      #expect(try file.integer("k.i32") == -4)
      #expect(try file.integer("k.i64") == Int.min)
      #expect(try file.number("k.f32") == Double(1e-5 as Float))
      #expect(try file.number("k.f64") == 0.1)
      #expect(try file.number("k.i8") == -2)
      #expect(try file.bool("k.bool") == true)
      #expect(try file.integers("k.windows") == [1, -2, 3])
      #expect(try file.numbers("k.windows") == [1, -2, 3])
      #expect(try file.bools("k.flags") == [true, false])
      #expect(try file.strings("no.such") == nil)
      #expect(try file.requiredInteger("k.u8") == 200)
      let missing = #expect(throws: UserError.self) { try file.requiredInteger("no.such") }
      #expect(missing?.problem == "the metadata key \"no.such\" is missing")
      let other = #expect(throws: UserError.self) { try file.requiredInteger("k.f32") }
      #expect(
        other?.problem
          == "the metadata key \"k.f32\" holds the number 9.999999747378752e-06 where "
          + "a whole number up to 9223372036854775807 belongs")
    }
  }

  @Test func readsTensors() throws {
    try read(GGUFBuilder.small().bytes) { file in
      let a = try file.matrix("a")
      #expect((a.rows, a.columns) == (3, 2))
      #expect(a.floats() == [1, 2, 3, 4, 5, 6])
      let b = try file.matrix("b")
      #expect((b.rows, b.columns) == (2, 32))
      #expect(try file.vector("b") == (0..<64).map { Float($0) })
      #expect(try file.vector("c") == [1, -2])
      #expect(file.tensors["b"]?.shape == [32, 1, 2])
      #expect(throws: UserError.self) { try file.matrix("d") }
    }
  }

  @Test func readsVocabulary() throws {
    try read(GGUFBuilder.small().bytes) { file in
      let vocabulary = try file.tokenizerVocabulary()
      #expect(vocabulary.model == "llama")
      #expect(vocabulary.pieces == ["<unk>", "é", "b"])
      #expect(vocabulary.scores == [0, -1, -2.5])
      #expect(vocabulary.kinds == [.unknown, .normal, .normal])
      #expect(vocabulary.merges.isEmpty)
      #expect(vocabulary.addsSpacePrefix)
      #expect((vocabulary.unknownID, vocabulary.begin.id) == (0, nil))
    }
  }

  @Test func honoursAlignment() throws {
    var builder = GGUFBuilder()
    builder.alignment = 256
    builder.add("general.alignment", kind: 4, GGUFBuilder.number(256 as UInt32))
    builder.addTensor("a", shape: [1], type: 0, bytes: [0, 0, 0x80, 0x3F])
    try read(builder.bytes) { file throws in #expect(try file.vector("a") == [1]) }
  }

  /// Any length and any flipped bit gives a file or a `UserError`, never a crash.
  @Test func survivesDamage() throws {
    let whole = GGUFBuilder.small().bytes
    try withFile(whole) { path in
      let handle = try #require(FileHandle(forUpdatingAtPath: path))
      defer { try? handle.close() }
      for (index, byte) in whole.enumerated() {
        for damaged in [byte ^ 1 << UInt8(index % 8), byte ^ 0x80, ~byte, byte] {
          try handle.seek(toOffset: UInt64(index))
          try handle.write(contentsOf: [damaged])
          let found = try problem(at: path)
          #expect(damaged != byte || found == nil)
        }
      }
      for length in whole.indices.reversed() {
        try handle.truncate(atOffset: UInt64(length))
        #expect(try problem(at: path) != nil, "\(length) bytes")
      }
    }
  }

  @Test func refusesForeignFiles() throws {
    #expect(try problem(Array("not a model".utf8)) == "is not a GGUF file")
    #expect(try problem([1]) == "is not a GGUF file")
    var builder = GGUFBuilder.small()
    builder.version = 1
    #expect(try problem(builder.bytes) == "is GGUF version 1, supported are 2 and 3")
    builder.version = (3 as UInt32).byteSwapped
    #expect(try problem(builder.bytes)?.contains("big-endian") == true)
  }

  @Test(arguments: [1 << 20, 1 << 40, UInt64.max])
  func refusesCountsThatLie(count: UInt64) throws {
    var builder = GGUFBuilder.small()
    builder.claimedKeys = count
    #expect(try problem(builder.bytes) != nil)
    builder = .small()
    builder.claimedTensors = count
    #expect(try problem(builder.bytes) != nil)
    for kind in 0...12 as ClosedRange<UInt32> {
      builder = .small()
      builder.add("k", kind: 9, GGUFBuilder.number(kind) + GGUFBuilder.number(count))
      #expect(try problem(builder.bytes) != nil)
    }
    builder = .small()
    builder.add("k", kind: 8, GGUFBuilder.number(count))
    #expect(try problem(builder.bytes) != nil)
  }

  @Test func refusesDamagedMetadata() throws {
    var builder = GGUFBuilder.small()
    builder.add("k.u8", kind: 0, [1])
    #expect(try problem(builder.bytes) == "the metadata key \"k.u8\" occurs twice")
    builder = .small()
    builder.add("bad", array: 8, [GGUFBuilder.text([0xFF])])
    #expect(try problem(builder.bytes) == "bad[0] is not valid UTF-8")
    builder = .small()
    builder.add("bad", kind: 13, [])
    #expect(try problem(builder.bytes)?.contains("unknown value type 13") == true)
    builder = .small()
    let one = GGUFBuilder.number(9 as UInt32) + GGUFBuilder.number(1 as UInt64)
    builder.add("deep", kind: 9, Array(repeatElement(one, count: 10_000).joined()))
    #expect(try problem(builder.bytes) == "metadata \"deep\" nests arrays more than 4 deep")
    for alignment in [0, 3, 33] as [UInt32] {
      builder = .small()
      builder.add("general.alignment", kind: 4, GGUFBuilder.number(alignment))
      #expect(try problem(builder.bytes)?.contains("not a power of two") == true)
    }
  }

  @Test func refusesDamagedTensors() throws {
    func problem(
      _ name: String = "x", shape: [UInt64] = [4], type: UInt32 = 0, at offset: UInt64? = nil
    ) throws -> String? {
      var builder = GGUFBuilder.small()
      builder.addTensor(
        name, shape: shape, type: type, bytes: [UInt8](repeating: 0, count: 16), at: offset)
      return try self.problem(builder.bytes)
    }
    #expect(try problem() == nil)
    #expect(try problem("a") == "the tensor \"a\" occurs twice")
    #expect(try problem(shape: []) == "tensor \"x\" has 0 dimensions, allowed are 1 to 4")
    #expect(try problem(shape: [1, 1, 1, 1, 1])?.contains("5 dimensions") == true)
    #expect(try problem(shape: [0])?.contains("dimension of 0") == true)
    #expect(try problem(shape: [UInt64.max])?.contains("dimension of") == true)
    #expect(try problem(shape: [1 << 62, 1 << 62]) != nil)
    #expect(try problem(shape: [1 << 30, 1 << 30, 1 << 30, 1 << 30])?.contains("shape") == true)
    #expect(try problem(shape: [5])?.contains("outside the file") == true)
    #expect(try problem(shape: [4], type: 3)?.contains("not a multiple of the 32") == true)
    #expect(
      try problem(shape: [1 << 30, 1 << 30, 1 << 30, 1 << 30], type: 16)?.contains("shape") == true)
    #expect(try problem(type: 16) == "tensor \"x\" has the unsupported type IQ2_XXS (16)")
    #expect(try problem(type: 999) == "tensor \"x\" has the unsupported type number 999")
    #expect(try problem(at: 1)?.contains("not a multiple of 32") == true)
    #expect(try problem(at: 1 << 40)?.contains("outside the file") == true)
    #expect(try problem(at: UInt64.max & ~31)?.contains("outside the file") == true)
  }

  @Test func refusesVocabulariesThatDoNotFit() throws {
    func problem(_ change: (inout GGUFBuilder) -> Void) throws -> String? {
      var builder = GGUFBuilder()
      change(&builder)
      return try self.problem(builder.bytes)
    }
    #expect(try problem { _ in }?.contains("tokenizer.ggml.model") == true)
    #expect(try problem { $0.add("tokenizer.ggml.model", "gpt2") }?.contains("tokens") == true)
    func vocabulary(_ change: (inout GGUFBuilder) -> Void) throws -> String? {
      try problem {
        $0.add("tokenizer.ggml.model", "gpt2")
        $0.add("tokenizer.ggml.tokens", array: 8, [GGUFBuilder.text("a".utf8)])
        change(&$0)
      }
    }
    #expect(try vocabulary { _ in } == nil)
    #expect(try vocabulary { $0.add("tokenizer.ggml.scores", array: 6, []) } != nil)
    #expect(try vocabulary { $0.add("tokenizer.ggml.token_type", array: 0, [[9]]) } != nil)
    #expect(try vocabulary { $0.add("tokenizer.ggml.bos_token_id", "a") } != nil)
    #expect(try vocabulary { $0.add("tokenizer.ggml.add_bos_token", kind: 0, [1]) } != nil)
    #expect(try vocabulary { $0.add("tokenizer.ggml.merges", "a b") } != nil)
  }
}
