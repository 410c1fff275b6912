import Foundation
import TensorCore

/// What a `tokenizer.model` says of its pieces: a protobuf message `ModelProto`
/// (sentencepiece_model.proto). Cutting text is libsentencepiece's, which reads the file itself.
struct SentencePieceModelFile {
  let bytes: [UInt8]
  private(set) var pieces: [String] = []
  private(set) var kinds: [TokenizerVocabulary.Kind] = []
  private(set) var beginID = 1
  private(set) var endID = 2
  private(set) var addsSpacePrefix = true
  private(set) var removesExtraSpaces = true

  init(_ path: String) throws {
    try self.init(bytes: Array(Files.read(path)), place: path)
  }

  init(bytes: [UInt8], place: String) throws {
    self.bytes = bytes
    do throws(ProtobufFields.Fault) {
      var fields = ProtobufFields(bytes[...])
      while let (number, value) = try fields.next() {
        switch (number, value) {
        case (1, .bytes(let content)): try addPiece(content)
        case (2, .bytes(let content)): try readTrainer(content)
        case (3, .bytes(let content)): try readNormalizer(content)
        default: break
        }
      }
    } catch {
      let isPointer = bytes.starts(with: "version https://git-lfs".utf8)
      throw UserError(
        isPointer ? "this is a Git-LFS pointer, not the file" : "this is no SentencePiece model",
        at: place, remedy: "download the file again")
    }
    guard !pieces.isEmpty else {
      throw UserError("the model has no pieces", at: place, remedy: "download the file again")
    }
  }

  /// Pieces and kinds.
  var vocabulary: TokenizerVocabulary {
    TokenizerVocabulary(model: "llama", pieces: pieces, kinds: kinds)
  }

  private mutating func addPiece(_ content: ArraySlice<UInt8>) throws(ProtobufFields.Fault) {
    var fields = ProtobufFields(content)
    var piece = ""
    var kind = TokenizerVocabulary.Kind.normal
    while let (number, value) = try fields.next() {
      switch (number, value) {
      case (1, .bytes(let text)): piece = String(decoding: text, as: UTF8.self)
      case (3, .number(let type)):
        kind = Int(exactly: type).flatMap(TokenizerVocabulary.Kind.init) ?? .unused
      default: break
      }
    }
    pieces.append(piece)
    kinds.append(kind)
  }

  private mutating func readTrainer(_ content: ArraySlice<UInt8>) throws(ProtobufFields.Fault) {
    var fields = ProtobufFields(content)
    while let (number, value) = try fields.next() {
      guard case .number(let bits) = value else { continue }
      // Negative ids, for none, are written as 64 bits.
      if number == 41 { beginID = Int(Int64(bitPattern: bits)) }
      if number == 42 { endID = Int(Int64(bitPattern: bits)) }
    }
  }

  private mutating func readNormalizer(_ content: ArraySlice<UInt8>) throws(ProtobufFields.Fault) {
    var fields = ProtobufFields(content)
    while let (number, value) = try fields.next() {
      if number == 2, case .bytes(let map) = value, !SentencePieceCharacterMap.isSound(map) {
        throw ProtobufFields.Fault()
      }
      guard case .number(let flag) = value else { continue }
      if number == 3 { addsSpacePrefix = flag != 0 }
      if number == 4 { removesExtraSpaces = flag != 0 }
    }
  }
}

/// The fields of a protobuf message, one after another.
struct ProtobufFields {
  struct Fault: Error {}

  enum Value {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
    /// A fixed number of 4 or 8 bytes.
    case fixed
  }

  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  mutating func next() throws(Fault) -> (number: Int, value: Value)? {
    guard !rest.isEmpty else { return nil }
    let key = try varint()
    guard let number = Int(exactly: key >> 3), number > 0 else { throw Fault() }
    switch key & 7 {
    case 0: return (number, .number(try varint()))
    case 1: return (number, try fixed(8))
    case 2:
      guard let count = Int(exactly: try varint()) else { throw Fault() }
      return (number, .bytes(try take(count)))
    case 5: return (number, try fixed(4))
    default: throw Fault()
    }
  }

  private mutating func fixed(_ count: Int) throws(Fault) -> Value {
    _ = try take(count)
    return .fixed
  }

  private mutating func take(_ count: Int) throws(Fault) -> ArraySlice<UInt8> {
    guard count <= rest.count else { throw Fault() }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  private mutating func varint() throws(Fault) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard let byte = rest.popFirst() else { throw Fault() }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw Fault()
  }
}
