import Foundation
import TensorCore

@testable import Transformer

extension FuzzedReader {
  /// `tokenizer.json`, without other files beside it.
  static func readTokenizer(_ bytes: [UInt8]) throws {
    let text = try ModelTokenizer(
      HuggingFaceConfig(reader(bytes, place: "\(folder)/tokenizer.json")))
    try use(text.tokenizer)
  }

  /// `tokenizer.model`.
  static func readSentencePiece(_ bytes: [UInt8]) throws {
    let file = try SentencePieceModelFile(bytes: bytes, place: "tokenizer.model")
    try use(SentencePieceTokenizer(file, addedTokens: [], place: "tokenizer.model"))
  }
}
