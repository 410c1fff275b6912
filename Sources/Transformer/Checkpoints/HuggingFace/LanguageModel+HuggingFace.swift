import Foundation
import TensorCore

extension LanguageModel {
  /// Opens a model: a GGUF file, or a folder as Hugging Face has it.
  ///
  /// - Throws: `UserError` naming the file and what is wrong with it.
  public init(path: String) throws {
    if Files.isFolder(path) {
      try self.init(huggingFace: path)
    } else {
      try self.init(gguf: path)
    }
  }

  /// Opens a folder with `config.json`, safetensors weights and, for text, `tokenizer.json` or
  /// `tokenizer.model`. The weights stay in their files, which are mapped, but for those that are
  /// stored transposed.
  ///
  /// Without these the model takes token ids only: see `NonEncodingTokenizer`.
  ///
  /// - Throws: `UserError` naming the file and what is wrong with it.
  public init(huggingFace folder: String) throws {
    try self.init(huggingFace: folder, config: "config.json")
  }

  /// - Parameter config: name of the configuration's file.
  init(huggingFace folder: String, config name: String) throws {
    try HuggingFaceFolder.refuseOthers(folder)
    let whole = try HuggingFaceConfig(contentsOf: "\(folder)/\(name)")
    let source = try HuggingFaceFolder(folder)
    try MixtureOfExperts.refuse(whole, names: source.names, at: folder)
    try QuantisedWeights.refuse(whole, names: source.names, at: folder)
    let config = try whole.textModel ?? whole
    var model = try ModelDescription(config, family: Family(of: config))
    try model.settleUnembedding(source)
    let reader = try WeightReader(source, model.layout, model.architecture)
    path = folder
    architecture = model.architecture
    weights = try Weights(from: reader)
    usedTensors = reader.used.sorted()
    unusedTensors = source.unused(but: reader.used, model.layout)
    let text = ModelTokenizer(folder: folder, count: architecture.vocabulary)
    beginToken = text.begin
    tokenizer = text.tokenizer
    let ends = EndTokens(folder: folder, config: name, vocabulary: architecture.vocabulary)
    endTokens = ends.ids
    notes = source.notes + model.notes + reader.notes + ends.notes
  }
}

extension HuggingFaceConfig {
  /// The text model's own part, where this is the configuration of a model for text and pictures.
  fileprivate var textModel: HuggingFaceConfig? {
    get throws {
      guard let modelType = try text("model_type"),
        !Family.all.contains(where: { $0.knows(modelType: modelType) }),
        let inner = try object("text_config"), let innerType = try inner.text("model_type"),
        Family.all.contains(where: { $0.knows(modelType: innerType) })
      else { return nil }
      return inner
    }
  }
}
