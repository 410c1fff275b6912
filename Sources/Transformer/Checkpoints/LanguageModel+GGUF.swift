import TensorCore

extension LanguageModel {
  /// Opens a GGUF file. The weights stay in the file, which is mapped.
  ///
  /// - Throws: `UserError` naming the file and what is wrong with it.
  public init(gguf path: String) throws { try self.init(GGUFFile(path)) }

  init(_ file: GGUFFile) throws {
    try MixtureOfExperts.refuse(file)
    let family = try Family(of: file)
    let architecture = try Architecture(file, family: family)
    path = file.path
    self.architecture = architecture
    weights = try Weights(from: file, layout: family.gguf, architecture: architecture)
    let vocabulary = try file.tokenizerVocabulary()
    beginToken = vocabulary.begin
    tokenizer = try makeTokenizer(vocabulary, place: file.path)
    endTokens = EndTokens(file, vocabulary: architecture.vocabulary).ids
  }
}
