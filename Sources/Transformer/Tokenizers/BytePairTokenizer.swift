import TensorCore

/// A byte-pair encoding with all that stands around it, in Hugging Face's order: added tokens are cut
/// out, the text between is normalised, cut into pieces, and each piece is encoded.
public struct BytePairTokenizer: Tokenizer {
  private let addedTokens: AddedTokens
  private let normaliser: Normalizer
  /// Added tokens that are looked for in the normalised text.
  private let normalisedTokens: AddedTokens
  private let preTokenizer: PreTokenizer
  private let model: BytePairModel
  private let decoder: TokenDecoder

  public var vocabularySize: Int { decoder.vocabularySize }

  init(
    addedTokens: [AddedToken], normaliser: Normalizer = Normalizer(), preTokenizer: PreTokenizer,
    model: BytePairModel, decoder: TokenDecoder
  ) throws {
    self.addedTokens = AddedTokens(addedTokens.filter { !$0.isNormalised })
    normalisedTokens = AddedTokens(
      try addedTokens.filter(\.isNormalised).map {
        var token = $0
        token.text = try normaliser(token.text)
        return token
      })
    self.normaliser = normaliser
    self.preTokenizer = preTokenizer
    self.model = model
    self.decoder = decoder
  }

  public func encode(_ text: String, parsingSpecialTokens: Bool) throws -> [Int] {
    let utf8 = text.utf8Span.span
    var output = Output(parsesSpecialTokens: parsingSpecialTokens)
    output.ids.reserveCapacity(utf8.count / 3)
    for part in addedTokens.parts(of: utf8, parsingSpecialTokens: parsingSpecialTokens) {
      switch part {
      case .token(let id): output.ids.append(id)
      case .text(let range):
        let stretch = utf8.extracting(range)
        let isFirst = range.lowerBound == 0
        if normaliser.steps.isEmpty {
          try encode(stretch, isFirst: isFirst, into: &output)
        } else {
          let normal = try normaliser(stretch.withUnsafeBufferPointer { Array($0) })
          try encode(normal.span, isFirst: isFirst, into: &output)
        }
      }
    }
    return output.ids
  }

  private struct Output {
    let parsesSpecialTokens: Bool
    var ids: [Int] = []
    var queue = MergeQueue()
  }

  /// Encodes normalised text.
  ///
  /// - Parameter isFirst: whether the whole input begins with it.
  private func encode(_ text: Span<UInt8>, isFirst: Bool, into output: inout Output) throws {
    let parts = normalisedTokens.parts(of: text, parsingSpecialTokens: output.parsesSpecialTokens)
    for part in parts {
      switch part {
      case .token(let id): output.ids.append(id)
      case .text(let range):
        try encodePieces(
          text.extracting(range), isFirst: isFirst && range.lowerBound == 0, into: &output)
      }
    }
  }

  private func encodePieces(_ text: Span<UInt8>, isFirst: Bool, into output: inout Output) throws {
    func encode(_ text: Span<UInt8>, _ ends: [Int]) {
      var start = 0
      for end in ends {
        model.encode(text.extracting(start..<end), with: &output.queue, into: &output.ids)
        start = end
      }
    }
    if let ends = try preTokenizer.endsOfOneStep(text) {
      encode(text, ends)
    } else {
      let bytes = text.withUnsafeBufferPointer { Array($0) }
      let pieces = try preTokenizer.pieces(of: bytes, isFirst: isFirst)
      encode(pieces.text.span, pieces.ends)
    }
  }

  public func bytes(of id: Int) -> [UInt8] { decoder.bytes(of: id) }
  public func bytes(of ids: [Int]) -> [UInt8] { decoder.bytes(of: ids) }
}
