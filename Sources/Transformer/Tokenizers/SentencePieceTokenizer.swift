import CSentencePiece
import TensorCore

/// SentencePiece's byte-pair encoding by score (Kudo and Richardson 2018), done by libsentencepiece
/// on a model rebuilt from the pieces, scores and types that a model file holds.
///
/// A literal U+2581 in the text is the same as a space and decodes to one.
public struct SentencePieceTokenizer: Tokenizer {
  private let processor: SentencePieceProcessor
  private let bytesOfTokens: ByteStrings
  private let special: SpecialTokens
  private let addsSpacePrefix: Bool

  public var vocabularySize: Int { bytesOfTokens.count }

  /// - Parameters:
  ///   - vocabulary: pieces with scores and kinds.
  ///   - place: the model file, for error messages.
  /// - Throws: `UserError` for scores or kinds that are not as many as the pieces, a vocabulary
  ///   without an unknown token, or one that libsentencepiece refuses.
  public init(_ vocabulary: TokenizerVocabulary, place: String) throws {
    try vocabulary.checkCounts(place: place)
    let pieces = vocabulary.pieces
    guard vocabulary.scores.count == pieces.count else {
      throw UserError(
        "the vocabulary has \(pieces.count) pieces but \(vocabulary.scores.count) scores",
        at: place, remedy: "get the model file again")
    }
    let unknownID = vocabulary.unknownID ?? vocabulary.kinds.firstIndex(of: .unknown)
    guard let unknownID, pieces.indices.contains(unknownID) else {
      throw UserError(
        "the vocabulary has no unknown token (tokenizer.ggml.unknown_token_id)", at: place,
        remedy: "use a model file that names one")
    }
    func kind(_ id: Int) -> TokenizerVocabulary.Kind {
      vocabulary.kinds.isEmpty ? .normal : vocabulary.kinds[id]
    }
    var strings = ByteStrings(capacity: pieces.count)
    for (id, piece) in pieces.enumerated() {
      switch kind(id) {
      case .byte:
        guard let byte = Self.byte(piece) else {
          throw UserError(
            "the byte token \(id) is \"\(piece)\", not <0x00> to <0xFF>", at: place,
            remedy: "get the model file again")
        }
        strings.append(byte)
      case .normal, .userDefined, .unused: strings.appendUnescaped(piece)
      case .control, .unknown: strings.append(contentsOf: piece.utf8)
      }
      strings.finish()
    }
    bytesOfTokens = strings
    // The library cuts out user-defined pieces itself.
    special = SpecialTokens(strings) {
      $0 == unknownID || kind($0) == .control || kind($0) == .unknown
    }
    addsSpacePrefix = vocabulary.addsSpacePrefix
    let model = SentencePieceModelProto(vocabulary, unknownID: unknownID)
    processor = try SentencePieceProcessor(model, place: place)
  }

  /// Token ids of `text`; a user-defined token is cut out of the text in either case.
  ///
  /// A vocabulary that adds a space prefix adds it to each stretch of text between special tokens.
  public func encode(_ text: String, parsingSpecialTokens: Bool) -> [Int] {
    let utf8 = text.utf8Span.span
    guard parsingSpecialTokens else { return processor.encode(utf8) }
    var ids: [Int] = []
    for part in special.parts(of: utf8) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range): ids += processor.encode(utf8.extracting(range))
      }
    }
    return ids
  }

  public func bytes(of id: Int) -> [UInt8] { Array(bytesOfTokens[id]) }

  /// The bytes that the sequence stands for, without the space that encoding put before the text
  /// where the vocabulary adds one.
  public func bytes(of ids: [Int]) -> [UInt8] {
    let bytes = ids.flatMap { bytesOfTokens[$0] }
    return addsSpacePrefix && bytes.first == 0x20 ? Array(bytes.dropFirst()) : bytes
  }

  /// The byte that `<0x0A>` names.
  private static func byte(_ piece: String) -> UInt8? {
    let text = Array(piece.utf8)
    guard text.count == 6, piece.hasPrefix("<0x"), piece.hasSuffix(">") else { return nil }
    return UInt8(piece.dropFirst(3).dropLast(), radix: 16)
  }
}

extension ByteStrings {
  /// Adds a piece's text with spaces where it has U+2581.
  fileprivate mutating func appendUnescaped(_ piece: String) {
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

/// libsentencepiece's processor; its encoding does not change it, so threads may share it.
private final class SentencePieceProcessor: @unchecked Sendable {
  private let handle: OpaquePointer

  init(_ model: SentencePieceModelProto, place: String) throws {
    var message = [CChar](repeating: 0, count: 512)
    let handle = model.bytes.withUnsafeBufferPointer { bytes in
      sentencepiece_load(bytes.baseAddress, bytes.count, &message, message.count)
    }
    guard let handle else {
      let reason = String(
        decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      throw UserError(
        "the vocabulary does not make a SentencePiece model: \(reason)", at: place,
        remedy: "get the model file again")
    }
    self.handle = handle
  }

  deinit { sentencepiece_free(handle) }

  func encode(_ text: Span<UInt8>) -> [Int] {
    text.withUnsafeBufferPointer { bytes in
      var ids: UnsafeMutablePointer<Int32>?
      let count = sentencepiece_encode(handle, bytes.baseAddress, bytes.count, &ids)
      defer { sentencepiece_free_ids(ids) }
      // Every text is encodable once a model is loaded; only memory can be short, as in any append.
      precondition(count >= 0, "libsentencepiece cannot encode: out of memory")
      return UnsafeBufferPointer(start: ids, count: count).map(Int.init)
    }
  }
}
