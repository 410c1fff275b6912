import TensorCore

/// Stands in where a model's files do not say how text is cut, or not in a way that is known here:
/// token ids need none of that, and tokens are shown by what is known of them.
public struct NonEncodingTokenizer: Tokenizer {
  private let decoder: TokenDecoder
  /// Why text cannot be cut.
  public let problem: UserError
  /// Whether tokens are shown by their pieces; otherwise token 17 is `<17>`.
  public let knowsPieces: Bool

  init(_ decoder: TokenDecoder, problem: UserError) {
    self.init(decoder, problem: problem, knowsPieces: true)
  }

  /// Of a model of which not even the pieces are known.
  init(count: Int, problem: UserError) {
    self.init(TokenDecoder(numbersBelow: count), problem: problem, knowsPieces: false)
  }

  private init(_ decoder: TokenDecoder, problem: UserError, knowsPieces: Bool) {
    self.decoder = decoder
    self.knowsPieces = knowsPieces
    self.problem = problem
  }

  public var vocabularySize: Int { decoder.vocabularySize }

  public func encode(_ text: String, parsingSpecialTokens: Bool) throws -> [Int] { throw problem }

  public func bytes(of id: Int) -> [UInt8] { decoder.bytes(of: id) }
  public func bytes(of ids: [Int]) -> [UInt8] { decoder.bytes(of: ids) }
}
