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
    let config = try HuggingFaceConfig(contentsOf: "\(folder)/\(name)")
    let family = try Family(of: config)
    let architecture = try Architecture(config, family: family)
    path = folder
    self.architecture = architecture
    weights = try Weights(
      from: HuggingFaceFolder(folder), layout: family.huggingFace, architecture: architecture)
    let text = ModelTokenizer(folder: folder, count: architecture.vocabulary)
    beginToken = text.begin
    tokenizer = text.tokenizer
    endTokens = try Self.endTokens(ofFolder: folder, config: name)
  }
}
