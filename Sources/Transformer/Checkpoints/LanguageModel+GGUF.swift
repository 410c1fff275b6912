import TensorCore

extension LanguageModel {
  /// Opens a GGUF file. The weights stay in the file, which is mapped.
  ///
  /// - Throws: `UserError` naming the file and what is wrong with it.
  public init(gguf path: String) throws {
    let file = try GGUFFile(path)
    let architecture = try Architecture(file)
    self.path = path
    self.architecture = architecture
    weights = try Weights(
      from: file, names: .gguf, architecture: architecture, pairsAreNeighbours: true)
    tokenizer = try makeTokenizer(file.tokenizerVocabulary(), place: path)
  }
}
