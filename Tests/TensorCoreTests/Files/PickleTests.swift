import Testing

@testable import TensorCore

/// Pickles written by hand, opcode by opcode, as Python's `pickletools` documents them.
@Suite struct PickleTests {
  private func read(_ bytes: [UInt8]) throws -> Pickle {
    var reader = PickleReader(FileBytes(MappedFile(copying: bytes, path: "a")), place: "a")
    return try reader.read()
  }

  private func read(_ text: String) throws -> Pickle { try read(Array(text.utf8)) }

  private func expectRefusal(_ bytes: [UInt8], _ parts: String...) {
    do {
      _ = try read(bytes)
      Issue.record("no error was thrown")
    } catch {
      #expect(error is UserError)
      for part in parts { #expect("\(error)".contains(part), "\(error)") }
    }
  }

  @Test func numbers() throws {
    for (bytes, value) in [
      ([0x4B, 200], 200), ([0x4D, 1, 2], 513), ([0x4A, 0xFE, 0xFF, 0xFF, 0xFF], -2),
      ([0x8A, 0], 0), ([0x8A, 1, 0xFF], -1), ([0x8A, 2, 0xFF, 0], 255),
      ([0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x80], Int.min), (Array("I-12\n".utf8), -12),
      (Array("L34L\n".utf8), 34),
    ] as [([UInt8], Int)] {
      #expect(try read(bytes + [0x2E]).root.integer == value)
    }
    guard case .float(let value) = try read([0x47, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0, 0x2E]).root else {
      Issue.record("no number")
      return
    }
    #expect(value == 1.5)
    guard case .longInteger(let digits) = try read([0x8A, 9] + [UInt8](1...9) + [0x2E]).root else {
      Issue.record("no number")
      return
    }
    #expect(digits == [UInt8](1...9))
  }

  @Test func texts() throws {
    #expect(try read("S'abc'\n.").root.string == "abc")
    #expect(try read("Va\\u0041\\U0001F600\\q\n.").root.string == "aA\u{1F600}\\q")
    #expect(try read([0x56, 0xE9, 0x0A, 0x2E]).root.string == "é")
    #expect(try read([0x8C, 2, 0xC3, 0xA9, 0x2E]).root.string == "é")
    #expect(try read([0x43, 3, 1, 2, 0, 0x2E]).root.bytes?.array == [1, 2, 0])
    // How protocols before 3 keep bytes.
    let latin: [UInt8] =
      Array("c_codecs\nencode\nX".utf8) + [2, 0, 0, 0, 0xC3, 0xA9]
      + Array("U\u{6}latin1\u{86}R.".utf8)
    #expect(try read(latin.filter { $0 != 0xC2 }).root.bytes?.array == [0xE9])
  }

  @Test func containersAndMemo() throws {
    // {'a': [1, 2], 'b': the same list}
    let pickle = try read("}q\u{0}U\u{1}a]q\u{1}(K\u{1}K\u{2}esU\u{1}bh\u{1}s.")
    let list = try #require(pickle.value("a", of: pickle.root))
    #expect(pickle.elements(list)?.map(\.integer) == [1, 2])
    guard case .node(let first) = list, case .node(let second)? = pickle.value("b", of: pickle.root)
    else {
      Issue.record("no lists")
      return
    }
    #expect(first == second)
    // The same key twice: the last value counts.
    let again = try read("}(U\u{1}aK\u{1}U\u{1}aK\u{2}u.")
    #expect(again.entries(again.root)?.map(\.value.integer) == [2])
    // collections.OrderedDict([['a', 5]]), as protocol 0 has it.
    let ordered = try read("ccollections\nOrderedDict\n((lp0\n(lp1\nS'a'\naI5\naatR.")
    #expect(ordered.value("a", of: ordered.root)?.integer == 5)
  }

  /// As deep as the file is long, and a list that contains itself.
  @Test func depthCostsNothing() throws {
    _ = try read([0x4E] + [UInt8](repeating: 0x85, count: 300_000) + [0x2E])
    let pickle = try read("]q\u{0}h\u{0}a.")
    #expect(pickle.elements(pickle.root)?.count == 1)
  }

  @Test func whatIsNamedIsNeverRun() {
    expectRefusal(
      Array("cos\nsystem\n(S'touch /tmp/it-was-run'\ntR.".utf8),
      "a, byte 0: asks for \"os.system\"",
      "nothing of it was run")
    expectRefusal(
      [0x8C, 8] + Array("builtins".utf8) + [0x8C, 4] + Array("eval".utf8) + [0x93, 0x2E],
      "builtins.eval")
    expectRefusal(Array("(ios\nsystem\n.".utf8), "os.system")
    expectRefusal([0x82, 1, 0x2E], "outside the file")
  }

  @Test func damage() {
    for (bytes, part) in [
      ([], "ends too early"), ([0x4E], "ends too early"), ([0x2E], "a value is missing"),
      ([0x00], "no instruction"), ([0x80, 9], "protocol 9"), ([0x65, 0x2E], "a mark is missing"),
      ([0x68, 3, 0x2E], "nothing is kept under 3"), ([0x42, 0xFF, 0xFF, 0xFF, 0xFF], "too early"),
      ([0x8E] + [UInt8](repeating: 0xFF, count: 8), "too early"), ([0x49, 0x78, 0x0A], "number"),
      ([0x4E, 0x4E, 0x52, 0x2E], "no class"), ([0x4E, 0x4E, 0x61, 0x2E], "no container"),
      ([0x28, 0x4E, 0x64, 0x2E], "no value"), ([0x28, 0x32, 0x2E], "missing"),
      ([0x4E, 0x4E, 0x62, 0x2E], "no object"), ([0x63, 0x61], "does not end"),
      ([0x28, 0x2E], "missing"),
    ] as [([UInt8], String)] {
      expectRefusal(bytes, part, "download or copy the file again")
    }
  }

  @Test func severalInOneFile() throws {
    let file = MappedFile(copying: [0x4E, 0x2E, 0x4B, 7, 0x2E, 9], path: "a")
    var reader = PickleReader(FileBytes(file), place: "a")
    _ = try reader.read()
    #expect(try reader.read().root.integer == 7 && reader.position == 5)
  }
}
