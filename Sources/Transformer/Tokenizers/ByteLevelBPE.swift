import Foundation
import TensorCore

/// Byte-level byte-pair encoding, GPT-2's (Radford et al. 2019): text is cut into pieces, the bytes
/// of a piece are its first tokens, and neighbours merge in the order of the merge list.
///
/// A byte that has no token of its own is dropped, as in the reference implementations.
public struct ByteLevelBPE: Tokenizer {
  private let preTokenizer: PreTokenizer
  private let composesText: Bool
  /// What each token stands for.
  private let bytesOfTokens: ByteStrings
  /// The token of each single byte, or -1.
  private let byteTokens: [Int32]
  private let merges: MergeRanks
  /// Llama 3's rule: a piece of text that is a piece of the vocabulary is that token, merges or not.
  private let wholePieces: ByteStringTable?
  private let userDefined: SpecialTokens
  private let allSpecial: SpecialTokens

  public var vocabularySize: Int { bytesOfTokens.count }

  /// - Parameters:
  ///   - vocabulary: pieces and merges, and a pre-tokenizer that `PreTokenizer` knows.
  ///   - place: the model file, for error messages.
  /// - Throws: `UserError` for an unknown pre-tokenizer, a merge of unknown pieces, or kinds that are
  ///   not as many as the pieces.
  public init(_ vocabulary: TokenizerVocabulary, place: String) throws {
    let rule = try PreTokenizer(named: vocabulary.preTokenizer, place: place)
    let kinds = vocabulary.kinds
    try vocabulary.checkCounts(place: place)
    func kind(_ id: Int) -> TokenizerVocabulary.Kind { kinds.isEmpty ? .normal : kinds[id] }

    var texts = ByteStrings(capacity: vocabulary.pieces.count)
    var bytes = ByteStrings(capacity: vocabulary.pieces.count)
    for (id, piece) in vocabulary.pieces.enumerated() {
      texts.append(contentsOf: piece.utf8)
      texts.finish()
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
    let table = ByteStringTable(texts)
    preTokenizer = rule
    composesText = vocabulary.composesText
    bytesOfTokens = bytes
    byteTokens = ByteLevelAlphabet.scalars.map { scalar in
      let text = Array(String(scalar).utf8)
      return Int32(truncatingIfNeeded: table.index(of: text.span) ?? -1)
    }
    merges = try MergeRanks(vocabulary.merges, pieces: table, place: place)
    wholePieces =
      rule == .lineAware(maximumDigits: 3)
      ? ByteStringTable(bytes, where: { kind($0) == .normal }) : nil
    userDefined = SpecialTokens(bytes, where: { kind($0) == .userDefined })
    allSpecial = SpecialTokens(
      bytes, where: { kind($0) == .userDefined || kind($0) == .control })
  }

  /// Token ids of `text`; a user-defined token is cut out of the text in either case.
  public func encode(_ text: String, parsingSpecialTokens: Bool) -> [Int] {
    let text = composesText ? text.precomposedStringWithCanonicalMapping : text
    let utf8 = text.utf8Span.span
    var ids: [Int] = []
    ids.reserveCapacity(utf8.count / 3)
    var queue = MergeQueue()
    for part in (parsingSpecialTokens ? allSpecial : userDefined).parts(of: utf8) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range): encode(utf8.extracting(range), with: &queue, into: &ids)
      }
    }
    return ids
  }

  private func encode(_ text: Span<UInt8>, with queue: inout MergeQueue, into ids: inout [Int]) {
    var start = 0
    for end in preTokenizer.pieceEnds(of: text) {
      if let whole = wholePieces?.index(of: text.extracting(start..<end)) {
        ids.append(whole)
      } else {
        for position in start..<end {
          let token = byteTokens[Int(text[position])]
          if token >= 0 { queue.append(token) }
        }
        queue.merge(by: merges, into: &ids)
      }
      start = end
    }
  }

  public func bytes(of id: Int) -> [UInt8] { Array(bytesOfTokens[id]) }

  public func bytes(of ids: [Int]) -> [UInt8] { ids.flatMap { bytesOfTokens[$0] } }
}
