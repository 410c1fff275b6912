import Foundation
import TensorCore

extension LanguageModel {
  /// Opens a model: a GGUF file, or a folder as Hugging Face has it.
  ///
  /// - Throws: `UserError` naming the file and what is wrong with it.
  public init(path: String) throws {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    if exists, isFolder.boolValue {
      try self.init(huggingFace: path)
    } else {
      try self.init(gguf: path)
    }
  }

  /// Opens a folder with `config.json`, safetensors weights and, for text, `tokenizer.json`. The
  /// weights stay in their files, which are mapped, but for those that are stored transposed.
  ///
  /// Without `tokenizer.json` the model takes token ids only: see `NumberTokenizer`.
  ///
  /// - Throws: `UserError` naming the file and what is wrong with it.
  public init(huggingFace folder: String) throws {
    try self.init(huggingFace: folder, config: "config.json")
  }

  /// - Parameter config: name of the configuration's file.
  init(huggingFace folder: String, config name: String) throws {
    try HuggingFaceFolder.refuseOthers(folder)
    let config = try HuggingFaceConfig(contentsOf: "\(folder)/\(name)")
    try MixtureOfExperts.refuse(config, at: folder)
    let family = try Family(of: config)
    let architecture = try Architecture(config, family: family)
    path = folder
    self.architecture = architecture
    let files = try HuggingFaceFolder(folder)
    try QuantisedWeights.refuse(config, names: files.names, at: folder)
    weights = try Weights(
      from: files, layout: family.huggingFace, architecture: architecture)
    let tokenizerPath = "\(folder)/tokenizer.json"
    if FileManager.default.fileExists(atPath: tokenizerPath) {
      let vocabulary = try TokenizerVocabulary(huggingFace: tokenizerPath)
      beginToken = vocabulary.begin
      tokenizer = try makeTokenizer(vocabulary, place: tokenizerPath)
    } else {
      beginToken = .none
      tokenizer = NumberTokenizer(vocabularySize: architecture.vocabulary)
    }
    endTokens =
      EndTokens(folder: folder, config: name, vocabulary: architecture.vocabulary).ids
  }
}
