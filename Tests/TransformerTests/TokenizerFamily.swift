import Foundation
import TensorCore

@testable import Transformer

/// A tiny tokenizer with the pipeline of a model family, trained with Hugging Face tokenizers 0.23.3
/// (`.json`) or sentencepiece 0.2.3 (`.model`), and what these make of some texts.
enum TokenizerFamily {
  static let json = [
    "deepseek3", "falcon", "gemma", "gpt2", "gpt_neox", "gptj", "granite", "llama2", "llama3",
    "metanever", "metaspace", "mistral3", "olmo", "phi2", "phi3", "phi4", "phi4mini", "prefixed",
    "qwen2", "smollm", "smollm3", "stablelm2", "starcoder2", "tekken", "tinyllama", "words",
  ]
  static let sentencePiece = ["spm_bpe", "spm_bpe_bare", "spm_unigram", "spm_unigram_bytes"]

  static func path(_ file: String) -> String {
    Bundle.module.bundleURL.appendingPathComponent("Resources/tokenizer/families/\(file)").path
  }

  /// The tokenizer, or its file's error.
  static func tokenizer(_ name: String) throws -> any Tokenizer {
    guard !sentencePiece.contains(name) else {
      return try SentencePieceTokenizer(
        SentencePieceModelFile(path("\(name).model")), addedTokens: [], place: name)
    }
    let tokenizer = try ModelTokenizer(json: path("\(name).json")).tokenizer
    if let failed = tokenizer as? NonEncodingTokenizer { throw failed.problem }
    return tokenizer
  }

  static func object(_ file: String) throws -> [String: JSONReader] {
    Dictionary(
      uniqueKeysWithValues: try JSONReader(contentsOf: path(file)).entries())
  }
}
