import Foundation
import TensorCore

extension BeginToken {
  /// What a `tokenizer.json`, and the `tokenizer_config.json` beside it if there is one, say; see
  /// `BeginToken` for which of them decides.
  ///
  /// - Parameter id: the id of a token by its text.
  init(_ file: HuggingFaceConfig, id: (String) -> Int?) throws {
    let folder = URL(fileURLWithPath: file.place).deletingLastPathComponent().path
    if let processor = try file.object("post_processor") {
      let first = try Self.first(processor)
      self.init(
        isExpected: first != nil, id: try first ?? Self.named(Self.config(folder)).flatMap(id))
    } else {
      let config = try Self.config(folder)
      self.init(
        isExpected: try config?.bool("add_bos_token") ?? false,
        id: try Self.named(config).flatMap(id))
    }
  }

  /// What stands beside a `tokenizer.model`.
  ///
  /// - Parameters:
  ///   - usual: the begin token that the model itself names, if any: where `add_bos_token` is silent,
  ///     texts start with it, as in SentencePiece's GGUF files.
  ///   - id: the id of a token by its text.
  init(folder: String, usual: Int?, id: (String) -> Int?) throws {
    let config = try Self.config(folder)
    let named = try Self.named(config).flatMap(id) ?? usual
    self.init(isExpected: try config?.bool("add_bos_token") ?? (named != nil), id: named)
  }

  private static func config(_ folder: String) throws -> HuggingFaceConfig? {
    let path = folder + "/tokenizer_config.json"
    return FileManager.default.fileExists(atPath: path)
      ? try HuggingFaceConfig(contentsOf: path) : nil
  }

  private static func named(_ config: HuggingFaceConfig?) throws -> String? {
    try config?.entries["bos_token"].flatMap { reader in
      // A text, or an object that also tells about the spaces around it.
      if case .object = reader.value { return try HuggingFaceConfig(reader).text("content") }
      return try reader.string()
    }
  }

  /// The token that a post-processor puts before a single text.
  private static func first(_ processor: HuggingFaceConfig) throws -> Int? {
    switch try processor.text("type") {
    case "Sequence":
      for step in try processor.list("processors") {
        if let first = try first(HuggingFaceConfig(step)) { return first }
      }
      return nil
    case "TemplateProcessing":
      guard let part = try processor.list("single").first,
        let token = try HuggingFaceConfig(part).object("SpecialToken"),
        let name = try token.text("id"),
        let special = try processor.object("special_tokens")?.object(name)
      else { return nil }
      return try special.list("ids").first?.integer(in: 0...Int.max)
    // BERT's and RoBERTa's, which put their class token first.
    case "BertProcessing", "RobertaProcessing":
      return try processor.list("cls").last?.integer(in: 0...Int.max)
    default: return nil
    }
  }
}
