import TensorCore
import Testing

@testable import Transformer

/// A small random model of each family with transformers' f32 numbers, in `Resources/tiny`.
enum TinyModel: String, CaseIterable, CustomTestStringConvertible {
  case llama = "llama_gqa"
  case llama3 = "llama3_rope"
  case qwen3
  case gpt2
  case gptNeoX = "gpt_neox"
  case gemma2

  /// How transformers 5 and 4 spell the same configuration.
  static let spellings = ["config.json", "config_v4.json"]

  var testDescription: String { rawValue }
  var folder: String { "\(Golden.folder)/tiny/\(rawValue)" }

  func load(config: String = "config.json") throws -> LanguageModel {
    try LanguageModel(huggingFace: folder, config: config)
  }

  func golden() throws -> SafetensorsFile {
    try Golden.tensors("tiny/\(rawValue)/golden.safetensors")
  }

  func tokens() throws -> [Int] { try golden().integers("input_ids") }
}

extension ForwardRequest {
  /// All logits and, after every block, all residual streams.
  static func everything(_ tokens: [Int], layers: Int) -> ForwardRequest {
    ForwardRequest(
      tokens: tokens,
      recordings: [Recording(HookPoint(.residualPre, layer: 0))]
        + (0..<layers).map { Recording(HookPoint(.residualPost, layer: $0)) }
        + [Recording(HookPoint(.finalNormalized))],
      logits: LogitRequest(positions: Array(tokens.indices), tokens: .all))
  }
}
