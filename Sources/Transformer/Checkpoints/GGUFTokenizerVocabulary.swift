import TensorCore

extension GGUFFile {
  /// What `tokenizer.ggml.*` says about the tokenizer.
  ///
  /// - Throws: `UserError` if the model or the pieces are missing, or lists by token id differ in
  ///   length.
  public func tokenizerVocabulary() throws -> TokenizerVocabulary {
    let model = try requiredString("tokenizer.ggml.model")
    let pieces = try requiredStrings("tokenizer.ggml.tokens")
    return TokenizerVocabulary(
      model: model,
      preTokenizer: string("tokenizer.ggml.pre"),
      pieces: pieces,
      scores: try perToken("tokenizer.ggml.scores", pieces.count, requiredNumbers),
      kinds: try perToken("tokenizer.ggml.token_type", pieces.count, tokenKinds),
      merges: metadata["tokenizer.ggml.merges"] == nil
        ? [] : try requiredStrings("tokenizer.ggml.merges"),
      // SentencePiece's own default is to add the space; byte-level BPE knows no such thing.
      addsSpacePrefix: bool("tokenizer.ggml.add_space_prefix") ?? (model == "llama"),
      unknownID: try tokenID("tokenizer.ggml.unknown_token_id", pieces.count),
      beginID: try tokenID("tokenizer.ggml.bos_token_id", pieces.count),
      endID: try tokenID("tokenizer.ggml.eos_token_id", pieces.count))
  }

  /// A list with a value for each token id, or an empty one where the key is missing.
  private func perToken<Value>(
    _ key: String, _ count: Int, _ read: (String) throws -> [Value]
  ) throws -> [Value] {
    guard metadata[key] != nil else { return [] }
    let values = try read(key)
    guard values.count == count else {
      throw UserError(
        "\"\(key)\" has \(values.count) entries for \(count) tokens", at: path,
        remedy: "download or copy the file again")
    }
    return values
  }

  private func tokenKinds(_ key: String) throws -> [TokenizerVocabulary.Kind] {
    try requiredIntegers(key).map { id in
      guard let kind = TokenizerVocabulary.Kind(rawValue: id) else {
        throw UserError(
          "\"\(key)\" has the unknown token type \(id), known are 1 to 6", at: path,
          remedy: "download or copy the file again")
      }
      return kind
    }
  }

  private func tokenID(_ key: String, _ count: Int) throws -> Int? {
    guard metadata[key] != nil else { return nil }
    let id = try requiredInteger(key)
    guard (0..<count).contains(id) else {
      throw UserError(
        "\"\(key)\" is \(id), but there are \(count) tokens", at: path,
        remedy: "download or copy the file again")
    }
    return id
  }
}
