import TensorCore

extension LanguageModel {
  /// Opens a GGUF file. The weights stay in the file, which is mapped.
  ///
  /// - Throws: `UserError` naming the file and what is wrong with it.
  public init(gguf path: String) throws {
    let file = try GGUFFile(path)
    let family = try Family(of: file)
    let architecture = try Architecture(file, family: family)
    self.path = path
    self.architecture = architecture
    weights = try Weights(from: file, layout: family.gguf, architecture: architecture)
    let text = ModelTokenizer(file, count: architecture.vocabulary)
    beginToken = text.begin
    tokenizer = text.tokenizer
    endTokens = file.endTokens
  }
}
