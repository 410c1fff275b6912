import TensorCore

/// Byte-pair encoding (Sennrich et al. 2016) of one piece of text after another: its characters, or
/// in GPT-2's way (Radford et al. 2019) its bytes, are the first tokens, and neighbours merge in the
/// order of the merge list.
struct BytePairModel: Sendable {
  /// What a piece of text begins as.
  enum Unit: Sendable {
    /// Bytes, which the vocabulary writes in GPT-2's alphabet.
    case byte
    /// Unicode scalars.
    case scalar
  }

  private let unit: Unit
  private let merges: MergeRanks
  /// Pieces as the vocabulary writes them.
  private let table: ByteStringTable
  /// The token of each byte, or of each ASCII scalar, or -1.
  private let unitTokens: [Int32]
  /// Where a piece of text that is a piece of the vocabulary is that token, merges or not: these
  /// pieces as text.
  private let wholePieces: ByteStringTable?
  /// Tokens of the bytes `<0x00>` to `<0xFF>`, or -1; empty where nothing falls back to bytes.
  private let fallback: [Int32]
  private let unknown: Int32?
  private let fusesUnknown: Bool

  /// - Parameters:
  ///   - table: pieces as the vocabulary writes them.
  ///   - wholePieces: with Llama 3's rule (`ignore_merges`) the pieces that it holds for; else nil.
  ///   - fallsBackToBytes: whether a unit without token becomes the tokens `<0x0A>` of its bytes.
  ///   - unknown: the token of a unit that has none otherwise; nil drops it.
  ///   - fusesUnknown: whether unknown neighbours are one token.
  init(
    unit: Unit, table: ByteStringTable, merges: MergeRanks, wholePieces: ((Int) -> Bool)? = nil,
    fallsBackToBytes: Bool = false, unknown: Int? = nil, fusesUnknown: Bool = false
  ) {
    func token(_ text: String) -> Int32 {
      let bytes = Array(text.utf8)
      return table.index(of: bytes.span).map { Int32(truncatingIfNeeded: $0) } ?? -1
    }
    self.unit = unit
    self.table = table
    self.merges = merges
    self.fusesUnknown = fusesUnknown
    self.unknown = unknown.map { Int32(truncatingIfNeeded: $0) }
    switch unit {
    case .byte: unitTokens = ByteLevelAlphabet.scalars.map { token(String($0)) }
    case .scalar: unitTokens = (UInt8(0)..<128).map { token(String(Unicode.Scalar($0))) }
    }
    fallback =
      fallsBackToBytes ? (UInt8.min...UInt8.max).map { token(Self.fallbackPiece($0)) } : []
    self.wholePieces = wholePieces.map { isWhole in
      switch unit {
      case .byte: ByteStringTable(Self.texts(table), where: isWhole)
      case .scalar: ByteStringTable(table.strings, where: { table.holds($0) && isWhole($0) })
      }
    }
  }

  /// `<0x0A>`.
  static func fallbackPiece(_ byte: UInt8) -> String {
    "<0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) + ">"
  }

  /// The byte that a piece `<0x0A>` names.
  static func byte(ofFallbackPiece piece: some Collection<UInt8>) -> UInt8? {
    guard piece.count == 6, piece.starts(with: "<0x".utf8), piece.suffix(1).elementsEqual(">".utf8)
    else { return nil }
    return UInt8(String(decoding: piece.dropFirst(3).prefix(2), as: UTF8.self), radix: 16)
  }

  /// The bytes that the pieces write in GPT-2's alphabet; empty for those that are not in it.
  private static func texts(_ table: ByteStringTable) -> ByteStrings {
    var texts = ByteStrings(capacity: table.strings.count)
    var text: [UInt8] = []
    for index in 0..<table.strings.count {
      if table.holds(index), ByteLevelAlphabet.decode(table.strings[index], into: &text) {
        texts.append(contentsOf: text)
      }
      texts.finish()
    }
    return texts
  }

  /// Adds the tokens of a piece of text to `ids`.
  func encode(_ text: Span<UInt8>, with queue: inout MergeQueue, into ids: inout [Int]) {
    guard !text.isEmpty else { return }
    if let whole = wholePieces?.index(of: text) {
      ids.append(whole)
      return
    }
    // Unknown units are added when the next known one comes, as in the reference.
    var waiting = 0
    func flush() {
      guard waiting > 0, let unknown else { return }
      for _ in 0..<(fusesUnknown ? 1 : waiting) { queue.append(unknown) }
      waiting = 0
    }
    var position = 0
    while position < text.count {
      let length: Int
      let token: Int32
      switch unit {
      case .byte:
        length = 1
        token = unitTokens[Int(text[position])]
      case .scalar where text[position] < 0x80:
        length = 1
        token = unitTokens[Int(text[position])]
      case .scalar:
        length = text.scalar(at: position).length
        token =
          table.index(of: text.extracting(position..<position + length))
          .map { Int32(truncatingIfNeeded: $0) } ?? -1
      }
      if token >= 0 {
        flush()
        queue.append(token)
      } else if !appendFallback(text.extracting(position..<position + length), to: &queue) {
        // Of unknown units that are not fused, all but the last are added at once.
        if waiting > 0, !fusesUnknown { flush() }
        waiting += 1
      }
      position += length
    }
    flush()
    queue.merge(by: merges, into: &ids)
  }

  /// Adds the byte tokens of a unit, if it has all of them.
  private func appendFallback(_ unit: Span<UInt8>, to queue: inout MergeQueue) -> Bool {
    guard !fallback.isEmpty else { return false }
    // A byte of a byte-level model is written as a scalar, and so are its fallback's bytes.
    let bytes =
      self.unit == .scalar
      ? (0..<unit.count).map { unit[$0] }
      : Array(String(ByteLevelAlphabet.scalars[Int(unit[0])]).utf8)
    guard bytes.allSatisfy({ fallback[Int($0)] >= 0 }) else { return false }
    for byte in bytes { queue.append(fallback[Int(byte)]) }
    return true
  }
}
