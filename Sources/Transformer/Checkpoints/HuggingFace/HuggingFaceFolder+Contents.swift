import Foundation
import TensorCore

/// What a folder holds instead of a model's configuration and safetensors weights.
extension HuggingFaceFolder {
  /// Refuses a folder that is no Hugging Face model, where its files tell what it is.
  ///
  /// To be asked before its `config.json` is read.
  static func refuseOthers(_ path: String) throws {
    let names = contents(path)
    // transformers, too, takes a folder with both for the adapter.
    if names.contains("adapter_config.json") { throw adapter(path) }
    guard !names.contains("config.json") else { return }
    if let name = names.first(where: { $0.hasSuffix(".gguf") }) { throw holds(gguf: name, path) }
    if names.contains("params.json") {
      throw UserError(
        "holds a model in its maker's own layout (params.json), not in that of transformers",
        at: path, remedy: "download the folder with config.json and \(weights), or a GGUF file")
    }
  }

  /// The error of a folder without weights that are read here.
  static func withoutWeights(_ path: String) -> UserError {
    let names = contents(path)
    if names.contains("adapter_config.json") || names.contains("adapter_model.safetensors") {
      return adapter(path)
    }
    if let name = [weights, index].first(where: names.contains) {
      return UserError(
        "\(name) is a link to a file that is not there", at: path,
        remedy: "download the model's files again")
    }
    let others = names.filter { $0.hasSuffix(".safetensors") }
    if let name = others.first(where: { $0.contains("-of-") }) {
      return UserError(
        "holds a part of the weights, \(name), but not \(index), which says what lies where",
        at: path, remedy: "download \(index), too")
    }
    if let name = others.first {
      return UserError(
        "holds \(name) where \(weights) is expected", at: path,
        remedy: name.hasPrefix("consolidated")
          ? "download \(weights), in which tensors have the names that transformers gives them"
          : "rename it, if it is the model")
    }
    if let name = names.first(where: isPickle) {
      return UserError(
        "holds \(name), weights that Python has pickled, which are not read here", at: path,
        remedy: "download the model's safetensors files, or save it anew with transformers")
    }
    if let name = names.first(where: { $0.hasSuffix(".gguf") }) { return holds(gguf: name, path) }
    if let name = names.first(where: { $0.hasSuffix(".h5") || $0.hasSuffix(".msgpack") }) {
      return UserError(
        "holds \(name), weights of TensorFlow or Flax, which are not read here", at: path,
        remedy: "download the model's safetensors files")
    }
    return UserError(
      "has neither \(weights) nor \(index)", at: path,
      remedy: "download the model's safetensors files into this folder")
  }

  private static func isPickle(_ name: String) -> Bool {
    name.hasPrefix("pytorch_model") && name.hasSuffix(".bin") || name.hasSuffix(".pth")
      || name.hasSuffix(".pt")
  }

  private static func adapter(_ path: String) -> UserError {
    UserError(
      "holds a LoRA adapter, not a model", at: path,
      remedy: "merge it into its base model (merge_and_unload of peft) and save that")
  }

  private static func holds(gguf name: String, _ path: String) -> UserError {
    UserError(
      "is a folder with a GGUF file", at: path, remedy: "name the file itself: \(path)/\(name)")
  }

  /// Names of the folder's files, sorted; empty for one that cannot be read.
  private static func contents(_ path: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }
}
