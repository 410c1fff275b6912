import TensorCore

/// The tokenizer that a model file describes.
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
  case "gpt2": return try ByteLevelBPE(vocabulary, place: place)
  case "llama": return try SentencePieceTokenizer(vocabulary, place: place)
  default:
    throw UserError(
      "unknown tokenizer \"\(vocabulary.model)\" (tokenizer.ggml.model); known are gpt2, llama",
      at: place, remedy: "use a model with one of these")
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
