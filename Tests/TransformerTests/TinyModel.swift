import Foundation
import TensorCore
import Testing

@testable import Transformer

/// A small random model with transformers' f32 numbers: every folder of `Resources/tiny`.
struct TinyModel: Equatable, Sendable, CustomTestStringConvertible {
  let name: String

  static let llama = TinyModel(name: "llama_gqa")
  static let llama3 = TinyModel(name: "llama3_rope")
  static let qwen3 = TinyModel(name: "qwen3")
  static let gpt2 = TinyModel(name: "gpt2")
  static let gptNeoX = TinyModel(name: "gpt_neox")
  static let gptJ = TinyModel(name: "gptj")
  static let gemma2 = TinyModel(name: "gemma2")
  static let olmo2 = TinyModel(name: "olmo2")

  static let allCases: [TinyModel] = {
    let folder = "\(Golden.folder)/tiny"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().map { TinyModel(name: $0) }
      .filter { FileManager.default.fileExists(atPath: $0.folder + "/config.json") }
  }()

  var testDescription: String { name }
  var folder: String { "\(Golden.folder)/tiny/\(name)" }
  /// How transformers 5 and, where it was another, transformers 4 spell the same configuration.
  var spellings: [String] {
    ["config.json", "config_v4.json"].filter {
      FileManager.default.fileExists(atPath: "\(folder)/\($0)")
    }
  }

  func load(config: String = "config.json") throws -> LanguageModel {
    try LanguageModel(huggingFace: folder, config: config)
  }

  func golden() throws -> SafetensorsFile {
    try Golden.tensors("tiny/\(name)/golden.safetensors")
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
