import Foundation

/// Puts GGUF bytes together for tests, correct ones and others.
struct GGUFBuilder {
  var version: UInt32 = 3
  var alignment = 32
  var claimedTensors: UInt64?
  var claimedKeys: UInt64?
  private(set) var keys: [[UInt8]] = []
  private(set) var tensors: [[UInt8]] = []
  private(set) var data: [UInt8] = []

  static func number(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  static func text(_ bytes: some Collection<UInt8>) -> [UInt8] {
    number(UInt64(bytes.count)) + bytes
  }

  mutating func add(_ key: String, kind: UInt32, _ value: [UInt8]) {
    addKey(key.utf8, kind: kind, value)
  }

  /// A key whose name may be any bytes.
  mutating func addKey(_ key: some Collection<UInt8>, kind: UInt32, _ value: [UInt8]) {
    keys.append(Self.text(key) + Self.number(kind) + value)
  }

  mutating func add(_ key: String, _ text: String) {
    add(key, kind: 8, Self.text(text.utf8))
  }

  mutating func add(_ key: String, array kind: UInt32, _ elements: [[UInt8]]) {
    add(key, kind: 9, Self.number(kind) + Self.number(UInt64(elements.count)) + elements.joined())
  }

  mutating func addTensor(
    _ name: String, shape: [UInt64], type: UInt32, bytes: [UInt8], at offset: UInt64? = nil
  ) {
    let padding = (alignment - data.count % alignment) % alignment
    data += [UInt8](repeating: 0, count: padding)
    tensors.append(
      Self.text(name.utf8) + Self.number(UInt32(shape.count)) + shape.flatMap { Self.number($0) }
        + Self.number(type) + Self.number(offset ?? UInt64(data.count)))
    data += bytes
  }

  var bytes: [UInt8] {
    var file = Array("GGUF".utf8) + Self.number(version)
    file += Self.number(claimedTensors ?? UInt64(tensors.count))
    file += Self.number(claimedKeys ?? UInt64(keys.count))
    file += keys.joined()
    file += tensors.joined()
    if !data.isEmpty {
      file += [UInt8](repeating: 0, count: (alignment - file.count % alignment) % alignment)
    }
    return file + data
  }

  /// A file with each kind of metadata, a vocabulary and three tensors.
  static func small(tensors: Bool = true) -> GGUFBuilder {
    var file = GGUFBuilder()
    file.add("general.architecture", "llama")
    file.add("k.u8", kind: 0, [200])
    file.add("k.i8", kind: 1, [0xFE])
    file.add("k.u16", kind: 2, number(60_000 as UInt16))
    file.add("k.i16", kind: 3, number(-3 as Int16))
    file.add("k.u32", kind: 4, number(4_000_000_000 as UInt32))
    file.add("k.i32", kind: 5, number(-4 as Int32))
    file.add("k.f32", kind: 6, number((1e-5 as Float).bitPattern))
    file.add("k.bool", kind: 7, [1])
    file.add("k.u64", kind: 10, number(UInt64.max))
    file.add("k.i64", kind: 11, number(Int64.min))
    file.add("k.f64", kind: 12, number((0.1 as Double).bitPattern))
    file.add("k.windows", array: 5, [1, -2, 3].map { number($0 as Int32) })
    file.add("k.flags", array: 7, [[1], [0]])
    file.add("k.nested", array: 9, [number(8 as UInt32) + number(1 as UInt64) + text("x".utf8)])
    file.add("tokenizer.ggml.model", "llama")
    file.add("tokenizer.ggml.tokens", array: 8, ["<unk>", "é", "b"].map { text($0.utf8) })
    file.add(
      "tokenizer.ggml.scores", array: 6,
      [0, -1, -2.5].map { number(($0 as Float).bitPattern) })
    file.add("tokenizer.ggml.token_type", array: 5, [2, 1, 1].map { number($0 as Int32) })
    file.add("tokenizer.ggml.unknown_token_id", kind: 4, number(0 as UInt32))
    guard tensors else { return file }
    file.addTensor(
      "a", shape: [2, 3], type: 0,
      bytes: [1, 2, 3, 4, 5, 6].flatMap { number(($0 as Float).bitPattern) })
    // d = 1 and q = 0, 1, 2, …
    file.addTensor(
      "b", shape: [32, 1, 2], type: 8, bytes: [0, 0x3C] + (0..<32) + [0, 0x3C] + (32..<64))
    file.addTensor("c", shape: [2], type: 1, bytes: [0, 0x3C, 0, 0xC0])
    return file
  }
}
