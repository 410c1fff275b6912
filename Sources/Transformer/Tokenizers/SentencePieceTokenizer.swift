import TensorCore

/// SentencePiece (Kudo and Richardson 2018), done by libsentencepiece: on a model rebuilt from the
/// pieces, scores and types of a GGUF file, which is byte-pair encoding by score, or on a
/// `tokenizer.model` as it is.
///
/// A literal U+2581 in the text is the same as a space and decodes to one.
public struct SentencePieceTokenizer: Tokenizer {
  private let processor: SentencePieceProcessor
  private let decoder: TokenDecoder
  private let addedTokens: AddedTokens
  /// The library's ids from here on stand for what the vocabulary has no piece for.
  private let pieceCount: Int
  private let unknownID: Int?
  private let place: String

  public var vocabularySize: Int { decoder.vocabularySize }

  /// - Parameters:
  ///   - vocabulary: pieces with scores and kinds.
  ///   - place: the model file, for error messages.
  /// - Throws: `UserError` for scores or kinds that are not as many as the pieces.
  public init(_ vocabulary: TokenizerVocabulary, place: String) throws {
    try vocabulary.checkCounts(place: place)
    let pieces = vocabulary.pieces
    guard vocabulary.scores.count == pieces.count else {
      throw UserError(
        "the vocabulary has \(pieces.count) pieces but \(vocabulary.scores.count) scores",
        at: place, remedy: "get the model file again")
    }
    let model = SentencePieceModelProto(vocabulary)
    let strings = vocabulary.sentencePieceTexts()
    let special = pieces.indices.filter {
      $0 == model.unknownID || vocabulary.kind($0) == .control || vocabulary.kind($0) == .unknown
    }
    decoder = TokenDecoder(strings, droppingFirstSpace: vocabulary.addsSpacePrefix)
    // The library cuts out user-defined pieces itself, but for those that it cannot hold.
    addedTokens = AddedTokens(
      special.map { AddedToken(id: $0, text: Array(strings[$0]), isSpecial: true) }
        + model.userDefinedOutside.map { AddedToken(id: $0, text: Array(strings[$0])) })
    pieceCount = pieces.count
    unknownID = model.unknownID
    self.place = place
    processor = try SentencePieceProcessor(model.bytes, place: place)
  }

  /// - Parameters:
  ///   - file: a `tokenizer.model`.
  ///   - addedTokens: tokens of the files beside it; they come before the model's own.
  init(_ file: SentencePieceModelFile, addedTokens: [AddedToken], place: String) throws {
    let texts = file.vocabulary.sentencePieceTexts(adding: addedTokens)
    let named = Set(addedTokens.map(\.id))
    let own = file.pieces.indices.filter {
      (file.kinds[$0] == .control || file.kinds[$0] == .unknown) && !named.contains($0)
    }
    decoder = file.decoder(texts)
    self.addedTokens = AddedTokens(
      addedTokens + own.map { AddedToken(id: $0, text: Array(texts[$0]), isSpecial: true) })
    pieceCount = file.pieces.count
    unknownID = nil
    self.place = place
    processor = try SentencePieceProcessor(file.bytes, place: place)
  }

  /// Token ids of `text`; a user-defined token is cut out of the text in either case.
  ///
  /// A vocabulary that adds a space prefix adds it to each stretch of text between special tokens.
  public func encode(_ text: String, parsingSpecialTokens: Bool) throws -> [Int] {
    let utf8 = text.utf8Span.span
    var ids: [Int] = []
    for part in addedTokens.parts(of: utf8, parsingSpecialTokens: parsingSpecialTokens) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        for id in try processor.encode(utf8.extracting(range)) {
          guard id >= pieceCount else {
            ids.append(id)
            continue
          }
          guard let unknownID else {
            throw UserError(
              "the vocabulary has neither pieces for all of the text nor an unknown token",
              at: place, remedy: "use other characters, or token ids")
          }
          ids.append(unknownID)
        }
      }
    }
    return ids
  }

  public func bytes(of id: Int) -> [UInt8] { decoder.bytes(of: id) }

  /// The bytes that the sequence stands for, without the space that encoding put before the text
  /// where the vocabulary adds one.
  public func bytes(of ids: [Int]) -> [UInt8] { decoder.bytes(of: ids) }
}

extension SentencePieceModelFile {
  /// The library's rule: one space goes that it put before the text, or all where it removes those
  /// that are too many.
  func decoder(_ texts: ByteStrings) -> TokenDecoder {
    let most = removesExtraSpaces ? Int.max : addsSpacePrefix ? 1 : 0
    return TokenDecoder(texts, strip: TokenDecoder.Strip(bytes: [0x20], start: most, end: 0))
  }
}

extension TokenizerVocabulary {
  /// What the tokens of a SentencePiece vocabulary stand for.
  ///
  /// - Parameter addedTokens: tokens that have a text of their own or are none of the vocabulary's.
  func sentencePieceTexts(adding addedTokens: [AddedToken] = []) -> ByteStrings {
    let added = Dictionary(addedTokens.map { ($0.id, $0.text) }, uniquingKeysWith: { $1 })
    let count = max(pieces.count, (added.keys.max() ?? -1) + 1)
    var strings = ByteStrings(capacity: count)
    for id in 0..<count {
      if let text = added[id] {
        strings.append(contentsOf: text)
      } else if id < pieces.count {
        strings.append(pieces[id], kind(id))
      } else {
        strings.append(contentsOf: "<\(id)>".utf8)
      }
      strings.finish()
    }
    return strings
  }
}

extension ByteStrings {
  fileprivate mutating func append(_ piece: String, _ kind: TokenizerVocabulary.Kind) {
    switch kind {
    case .byte:
      if let byte = BytePairModel.byte(ofFallbackPiece: Array(piece.utf8)) {
        append(byte)
      } else {
        append(contentsOf: piece.utf8)
      }
    case .normal, .userDefined, .unused: appendUnescaped(piece)
    case .control, .unknown: append(contentsOf: piece.utf8)
    }
  }

  /// Adds a piece's text with spaces where it has U+2581.
  private mutating func appendUnescaped(_ piece: String) {
    let text = piece.utf8Span.span
    let escaped = SentencePieceModelProto.escapedSpace
    var position = 0
    while position < text.count {
      if position + 2 < text.count, text[position] == escaped[0], text[position + 1] == escaped[1],
        text[position + 2] == escaped[2]
      {
        append(0x20)
        position += 3
      } else {
        append(text[position])
        position += 1
      }
    }
  }
}
