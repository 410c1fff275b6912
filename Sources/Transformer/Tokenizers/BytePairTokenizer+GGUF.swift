import TensorCore

extension BytePairTokenizer {
  /// A byte-level BPE as a GGUF file describes it. A byte without token is dropped, as in llama.cpp.
  ///
  /// - Parameter place: the model file, for error messages.
  /// - Throws: `UserError` for an unknown pre-tokenizer, merges that are missing or of unknown
  ///   pieces, or kinds that are not as many as the pieces.
  init(_ vocabulary: TokenizerVocabulary, place: String) throws {
    try vocabulary.checkCounts(place: place)
    let rule = try GGUFPreTokenizer(named: vocabulary.preTokenizer, place: place)
    guard !vocabulary.merges.isEmpty else {
      throw UserError(
        "there are no merges (tokenizer.ggml.merges)", at: place,
        remedy: "get the model file again, or use token ids")
    }
    var texts = ByteStrings(capacity: vocabulary.pieces.count)
    for piece in vocabulary.pieces {
      texts.append(contentsOf: piece.utf8)
      texts.finish()
    }
    let bytes = vocabulary.byteLevelTexts()
    let table = ByteStringTable(texts)
    try self.init(
      addedTokens: vocabulary.pieces.indices.compactMap { id in
        let kind = vocabulary.kind(id)
        guard kind == .control || kind == .userDefined else { return nil }
        return AddedToken(id: id, text: Array(bytes[id]), isSpecial: kind == .control)
      },
      preTokenizer: rule.preTokenizer,
      model: BytePairModel(
        unit: .byte, table: table,
        merges: MergeRanks(.lines(vocabulary.merges), pieces: table, place: place),
        wholePieces: rule.takesWholePieces ? { vocabulary.kind($0) == .normal } : nil),
      decoder: TokenDecoder(bytes))
  }
}

extension TokenizerVocabulary {
  func kind(_ id: Int) -> Kind { kinds.indices.contains(id) ? kinds[id] : .normal }

  /// What the tokens of a byte-level BPE stand for.
  func byteLevelTexts() -> ByteStrings {
    var bytes = ByteStrings(capacity: pieces.count)
    for (id, piece) in pieces.enumerated() {
      if kind(id) == .normal {
        for scalar in piece.unicodeScalars {
          if let byte = ByteLevelAlphabet.byte(scalar) {
            bytes.append(byte)
          } else {
            bytes.append(contentsOf: String(scalar).utf8)
          }
        }
      } else {
        bytes.append(contentsOf: piece.utf8)
      }
      bytes.finish()
    }
    return bytes
  }
}
