/// Stands in where a model comes without a tokenizer: there are token ids, but no pieces.
///
/// It encodes every text to no tokens, and the text of token 17 is `<17>`.
public struct NumberTokenizer: Tokenizer {
  public let vocabularySize: Int

  public init(vocabularySize: Int) { self.vocabularySize = vocabularySize }

  public func encode(_ text: String, parsingSpecialTokens: Bool) -> [Int] { [] }

  public func bytes(of id: Int) -> [UInt8] {
    (0..<vocabularySize).contains(id) ? Array("<\(id)>".utf8) : []
  }
}
