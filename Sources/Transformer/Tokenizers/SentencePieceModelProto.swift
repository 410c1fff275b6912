/// A SentencePiece model file made in memory from a vocabulary: a protobuf message `ModelProto`
/// (sentencepiece_model.proto), which libsentencepiece loads.
struct SentencePieceModelProto {
  private(set) var bytes: [UInt8] = []

  /// - Parameters:
  ///   - vocabulary: pieces with a score for each.
  ///   - unknownID: the token that stands for what no piece covers; the library wants exactly one.
  init(_ vocabulary: TokenizerVocabulary, unknownID: Int) {
    bytes.reserveCapacity(vocabulary.pieces.count * 24)
    var text: [UInt8] = []
    var message = SentencePieceModelProto()
    for (id, piece) in vocabulary.pieces.enumerated() {
      text.removeAll(keepingCapacity: true)
      for byte in piece.utf8 {
        // Model files may keep runs of spaces as they are; the library looks for the escaped form.
        if byte == 0x20 { text.append(contentsOf: Self.escapedSpace) } else { text.append(byte) }
      }
      var kind = vocabulary.kinds.isEmpty ? .normal : vocabulary.kinds[id]
      if id == unknownID {
        kind = .unknown
      } else if kind == .unknown {
        kind = .control
      }
      message.bytes.removeAll(keepingCapacity: true)
      message.field(1, bytes: text)
      message.field(2, float: vocabulary.scores[id])
      message.field(3, number: kind.rawValue)
      field(1, bytes: message.bytes)  // pieces
    }
    var trainer = SentencePieceModelProto()
    trainer.field(3, number: 2)  // model_type = BPE
    trainer.field(4, number: vocabulary.pieces.count)  // vocab_size
    trainer.field(35, number: vocabulary.kinds.contains(.byte) ? 1 : 0)  // byte_fallback
    trainer.field(40, number: unknownID)  // unk_id
    field(2, bytes: trainer.bytes)  // trainer_spec
    var normalizer = SentencePieceModelProto()
    normalizer.field(1, bytes: Array("identity".utf8))  // name
    normalizer.field(3, number: vocabulary.addsSpacePrefix ? 1 : 0)  // add_dummy_prefix
    normalizer.field(4, number: 0)  // remove_extra_whitespaces
    normalizer.field(5, number: 1)  // escape_whitespaces
    field(3, bytes: normalizer.bytes)  // normalizer_spec
  }

  /// U+2581, which stands for a space in pieces.
  static let escapedSpace: [UInt8] = [0xE2, 0x96, 0x81]

  private init() {}

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// A whole number or flag: wire type 0.
  private mutating func field(_ field: UInt64, number: Int) {
    varint(field << 3)
    varint(UInt64(number))
  }

  /// Bytes, text or a message: wire type 2.
  private mutating func field(_ field: UInt64, bytes content: [UInt8]) {
    varint(field << 3 | 2)
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  /// A float: wire type 5, little-endian.
  private mutating func field(_ field: UInt64, float: Float) {
    varint(field << 3 | 5)
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: float.bitPattern >> shift))
    }
  }
}
