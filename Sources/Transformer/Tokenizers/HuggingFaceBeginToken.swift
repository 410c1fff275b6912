import Foundation
import TensorCore

extension BeginToken {
  /// What a `tokenizer.json`, and the `tokenizer_config.json` beside it if there is one, say; see
  /// `BeginToken` for which of them decides.
  ///
  /// - Parameter pieces: piece texts by token id.
  init(_ file: HuggingFaceConfig, pieces: [String]) throws {
    let folder = URL(fileURLWithPath: file.place).deletingLastPathComponent().path
    let path = folder + "/tokenizer_config.json"
    let config =
      FileManager.default.fileExists(atPath: path) ? try HuggingFaceConfig(contentsOf: path) : nil
    let named = try config?.entries["bos_token"].flatMap { reader in
      // A text, or an object that also tells about the spaces around it.
      if case .object = reader.value { return try HuggingFaceConfig(reader).text("content") }
      return try reader.string()
    }
    let namedID = named.flatMap { name in
      pieces.firstIndex { $0.utf8.elementsEqual(name.utf8) }
    }
    if let processor = try file.object("post_processor") {
      let first = try Self.first(processor)
      self.init(isExpected: first != nil, id: first ?? namedID)
    } else {
      self.init(isExpected: try config?.bool("add_bos_token") ?? false, id: namedID)
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
