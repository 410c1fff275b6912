import Foundation
import TensorCore

@testable import Transformer

extension FuzzedReader {
  /// `tokenizer.json`, without other files beside it.
  static func readTokenizer(_ bytes: [UInt8]) throws {
    let path = "\(folder)/tokenizer.json"
    let file = try HuggingFaceConfig(reader(bytes, place: path))
    let vocabulary = try TokenizerVocabulary(file)
    try use(makeTokenizer(vocabulary, place: path))
  }
}
