import TensorCore

/// The tokenizer that a GGUF file describes.
///
/// - Parameters:
///   - vocabulary: what the file says about it.
///   - place: the file, for error messages.
/// - Throws: `UserError` for a kind of tokenizer that is not known, or a vocabulary that does not
///   hold together.
public func makeTokenizer(
  _ vocabulary: TokenizerVocabulary, place: String
) throws -> any Tokenizer {
  switch vocabulary.model {
  case "gpt2": return try BytePairTokenizer(vocabulary, place: place)
  case "llama": return try SentencePieceTokenizer(vocabulary, place: place)
  default:
    throw UserError(
      "unknown tokenizer \"\(vocabulary.model)\" (tokenizer.ggml.model); known are gpt2, llama",
      at: place, remedy: "use a model with one of these, or token ids")
  }
}

extension TokenizerVocabulary {
  /// Checks that there are pieces, and that the kinds are none or as many as the pieces.
  func checkCounts(place: String) throws {
    guard !pieces.isEmpty, pieces.count <= Int(Int32.max) else {
      throw UserError(
        "the vocabulary has \(pieces.count) pieces", at: place, remedy: "get the model file again")
    }
    guard kinds.isEmpty || kinds.count == pieces.count else {
      throw UserError(
        "the vocabulary has \(pieces.count) pieces but \(kinds.count) token types", at: place,
        remedy: "get the model file again")
    }
  }
}

/// A model's tokenizer and what its files say about the token before a text.
struct ModelTokenizer {
  var tokenizer: any Tokenizer
  var begin: BeginToken

  init(tokenizer: any Tokenizer, begin: BeginToken) {
    self.tokenizer = tokenizer
    self.begin = begin
  }

  /// Of a GGUF file. Where it does not make a tokenizer, there is one that says why as soon as text
  /// is to be cut: token ids need none.
  ///
  /// - Parameter count: the number of token ids that the model's embedding has.
  init(_ file: GGUFFile, count: Int) {
    do {
      let vocabulary = try file.tokenizerVocabulary()
      begin = vocabulary.begin
      do {
        tokenizer = try makeTokenizer(vocabulary, place: file.path)
      } catch {
        let decoder =
          switch vocabulary.model {
          case "gpt2": TokenDecoder(vocabulary.byteLevelTexts())
          case "llama": TokenDecoder(vocabulary.sentencePieceTexts())
          default: TokenDecoder(texts: vocabulary.pieces)
          }
        tokenizer = NonEncodingTokenizer(decoder, problem: UserError(any: error))
      }
    } catch {
      begin = .none
      tokenizer = NonEncodingTokenizer(count: count, problem: UserError(any: error))
    }
  }
}
