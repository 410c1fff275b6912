import Foundation
import TensorCore

/// A network as a Hugging Face folder, which any program that reads GPT-2 reads: `config.json`,
/// `tokenizer.json` and `model.safetensors`.
struct NetworkFolder {
  let configuration: JSONValue
  let vocabulary: NetworkVocabulary
  let arrays: [NamedArray]
  /// For the header of `model.safetensors`.
  let title: String

  /// Writes the folder, whose parent must be there. Matrices are stored as BF16.
  func write(to path: String) throws {
    try Files.makeFolder(path)
    try Files.write(Data((configuration.text + "\n").utf8), to: path + "/config.json")
    try Files.write(Data((vocabulary.tokenizer.text + "\n").utf8), to: path + "/tokenizer.json")
    try Safetensors.write(
      arrays.map { ($0.name, $0.shape, $0.values) },
      bfloat16: Set(arrays.filter { $0.shape.count > 1 }.map(\.name)),
      metadata: ["format": "pt", "title": title], to: path + "/model.safetensors")
  }
}

extension CompiledNetwork {
  /// Writes the model's folder to `path`.
  public func write(to path: String) throws {
    try NetworkFolder(
      configuration: configuration, vocabulary: vocabulary, arrays: arrays,
      title: "\(kind.rawValue), compiled by hand"
    ).write(to: path)
  }
}
