import TensorCore

extension GGUFFile {
  /// What `tokenizer.ggml.*` says about the tokenizer.
  ///
  /// - Throws: `UserError` if the model or the pieces are missing, or lists by token id differ in
  ///   length.
  public func tokenizerVocabulary() throws -> TokenizerVocabulary {
    let model =
      metadata["tokenizer.ggml.model"] == nil
      ? "none" : try requiredString("tokenizer.ggml.model")
    guard !["none", "no_vocab"].contains(model) else {
      throw UserError(
        "the file has no tokenizer (tokenizer.ggml.model) and takes token ids only", at: path,
        remedy: "use another file, or icl-probe run --tokens")
    }
    let pieces = try requiredStrings("tokenizer.ggml.tokens")
    let kinds = try perToken("tokenizer.ggml.token_type", pieces.count, tokenKinds)
    return TokenizerVocabulary(
      model: model,
      preTokenizer: try string("tokenizer.ggml.pre"),
      pieces: pieces,
      scores: try perToken("tokenizer.ggml.scores", pieces.count, requiredNumbers),
      kinds: kinds,
      merges: metadata["tokenizer.ggml.merges"] == nil
        ? [] : try requiredStrings("tokenizer.ggml.merges"),
      // SentencePiece's own default is to add the space; byte-level BPE knows no such thing.
      addsSpacePrefix: try bool("tokenizer.ggml.add_space_prefix") ?? (model == "llama"),
      unknownID: try tokenID("tokenizer.ggml.unknown_token_id", pieces.count),
      begin: try beginToken(model, kinds))
  }

  /// The begin token, with llama.cpp's defaults where the file is silent.
  ///
  /// An id outside the vocabulary is no error before the token is needed.
  private func beginToken(
    _ model: String, _ kinds: [TokenizerVocabulary.Kind]
  ) throws -> BeginToken {
    let isSentencePiece = model == "llama"
    let named = try integer("tokenizer.ggml.bos_token_id")
    // SentencePiece's own numbering has <s> second.
    let id = named ?? (isSentencePiece && kinds.dropFirst().first == .control ? 1 : nil)
    let pre = try string("tokenizer.ggml.pre") ?? ""
    let usual = isSentencePiece || (model == "gpt2" && Self.beginningPreTokenizers.contains(pre))
    // Where neither the flag nor an id is there, there is nothing to expect.
    return BeginToken(
      isExpected: try bool("tokenizer.ggml.add_bos_token") ?? (usual && id != nil),
      id: id)
  }

  /// Names of `tokenizer.ggml.pre` for which llama.cpp adds a begin token by itself.
  private static let beginningPreTokenizers: Set<String> = [
    "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
    "tekken", "chameleon",
  ]

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
      // 0 is llama.cpp's "undefined".
      if id == 0 { return .unused }
      guard let kind = TokenizerVocabulary.Kind(rawValue: id) else {
        throw UserError(
          "\"\(key)\" has the unknown token type \(id), known are 1 to 6", at: path,
          remedy: "download or copy the file again")
      }
      return kind
    }
  }

  /// A token's id, or nil where it is none of the vocabulary's, as llama.cpp takes it.
  private func tokenID(_ key: String, _ count: Int) throws -> Int? {
    guard metadata[key] != nil else { return nil }
    let id = try requiredInteger(key)
    return (0..<count).contains(id) ? id : nil
  }
}
