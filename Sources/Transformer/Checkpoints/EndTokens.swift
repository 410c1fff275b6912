import Foundation
import TensorCore

extension GGUFFile {
  /// Tokens that end a text, a turn or a message.
  var endTokens: Set<Int> {
    Set(["eos", "eot", "eom"].compactMap { integer("tokenizer.ggml.\($0)_token_id") })
  }
}

extension LanguageModel {
  /// `eos_token_id`, one id or a list, of `generation_config.json`, or else of the model's own
  /// configuration.
  ///
  /// - Throws: `UserError` where it is neither.
  static func endTokens(ofFolder path: String, config: String) throws -> Set<Int> {
    for name in ["generation_config.json", config] {
      let file = "\(path)/\(name)"
      guard FileManager.default.fileExists(atPath: file) else { continue }
      guard let reader = try HuggingFaceConfig(contentsOf: file).entries["eos_token_id"] else {
        continue
      }
      if case .array = reader.value { return Set(try reader.list().map { try $0.integer() }) }
      return [try reader.integer()]
    }
    return []
  }
}
