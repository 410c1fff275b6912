import TensorCore

extension LanguageModel {
  /// Opens a GGUF file. The weights stay in the file, which is mapped.
  ///
  /// - Throws: `UserError` naming the file and what is wrong with it.
  public init(gguf path: String) throws { try self.init(GGUFFile(path)) }

  init(_ file: GGUFFile) throws {
    try MixtureOfExperts.refuse(file)
    let family = try Family(of: file)
    let model = try ModelDescription(file, family: family)
    let reader = try WeightReader(file, model.layout, model.architecture)
    path = file.path
    architecture = model.architecture
    weights = try Weights(from: reader)
    usedTensors = reader.used.sorted()
    unusedTensors = file.unused(but: reader.used, model.layout)
    let text = ModelTokenizer(file, count: architecture.vocabulary)
    beginToken = text.begin
    tokenizer = text.tokenizer
    let ends = EndTokens(file, vocabulary: architecture.vocabulary)
    endTokens = ends.ids
    notes = file.notes + model.notes + ends.notes
  }
}
