/// A SentencePiece model file made in memory from a vocabulary: a protobuf message `ModelProto`
/// (sentencepiece_model.proto), which libsentencepiece loads.
///
/// The library refuses pieces that are empty or there twice, byte pieces that are not all of 256, and
/// a model without unknown token. Model files have all of these. Here such a piece becomes a control
/// token, which no text is cut into, so that of equal pieces the first counts, and what is missing is
/// added behind the vocabulary.
struct SentencePieceModelProto {
  private(set) var bytes: [UInt8] = []
  /// The token that stands for what no piece covers.
  private(set) var unknownID: Int?
  /// User-defined pieces that the library cannot hold: those with a NUL.
  private(set) var userDefinedOutside: [Int] = []

  /// - Parameter vocabulary: pieces with a score for each.
  init(_ vocabulary: TokenizerVocabulary) {
    let unknownID = vocabulary.unknownID ?? vocabulary.kinds.firstIndex(of: .unknown)
    self.unknownID = unknownID
    bytes.reserveCapacity(vocabulary.pieces.count * 24)
    // As bytes: String's == would take canonically equivalent pieces for equal.
    var texts: Set<[UInt8]> = []
    var bytePieces: Set<UInt8> = []
    func isNew(_ text: [UInt8]) -> Bool { !text.isEmpty && texts.insert(text).inserted }
    for (id, piece) in vocabulary.pieces.enumerated() {
      var text: [UInt8] = []
      for byte in piece.utf8 {
        // Model files may keep runs of spaces as they are; the library looks for the escaped form.
        if byte == 0x20 { text.append(contentsOf: Self.escapedSpace) } else { text.append(byte) }
      }
      var kind = vocabulary.kind(id)
      if id == unknownID { kind = .unknown } else if kind == .unknown { kind = .control }
      if kind == .userDefined, text.contains(0) {
        userDefinedOutside.append(id)
        kind = .control
      }
      let byte = kind == .byte ? BytePairModel.byte(ofFallbackPiece: text) : nil
      if kind == .byte, byte == nil { kind = .control }
      // The library knows them in capitals only.
      if let byte { text = Array(BytePairModel.fallbackPiece(byte).utf8) }
      if !isNew(text) {
        if kind != .unknown { kind = .control }
        // No vocabulary has a piece with these private characters in it.
        repeat { text = Array("\u{F8FF}\(id)\u{F8FF}".utf8) + text } while !isNew(text)
      } else if let byte {
        bytePieces.insert(byte)
      }
      add(text, vocabulary.scores[id], kind)
    }
    var count = vocabulary.pieces.count
    if !bytePieces.isEmpty {
      for byte in UInt8.min...UInt8.max where !bytePieces.contains(byte) {
        let name = Array(BytePairModel.fallbackPiece(byte).utf8)
        // Where a token of another kind has the name, the library says so.
        guard isNew(name) else { continue }
        add(name, 0, .byte)
        count += 1
      }
    }
    if unknownID == nil {
      var name = Array("<unk>".utf8)
      while !isNew(name) { name.append(UInt8(ascii: "_")) }
      add(name, 0, .unknown)
      count += 1
    }
    var trainer = SentencePieceModelProto()
    trainer.field(3, number: 2)  // model_type = BPE
    trainer.field(4, number: count)  // vocab_size
    trainer.field(35, number: bytePieces.isEmpty ? 0 : 1)  // byte_fallback
    trainer.field(40, number: unknownID ?? count - 1)  // unk_id
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

  private mutating func add(
    _ piece: [UInt8], _ score: Float, _ kind: TokenizerVocabulary.Kind
  ) {
    var message = SentencePieceModelProto()
    message.field(1, bytes: piece)
    message.field(2, float: score)
    message.field(3, number: kind.rawValue)
    field(1, bytes: message.bytes)  // pieces
  }

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
