import Foundation
import TensorCore
import Transformer

@testable import RuleVectors

/// A random model of three layers that reads bytes, with a small task of either family.
enum TinyLaboratory {
  static let categorization = """
    {"name": "small", "title": "Small", "description": "For tests.", "family": "categorization",
     "template": {"demonstration": "{input} -> {label}\\n", "query": "{input} ->"},
     "labels": ["A", "B"],
     "classes": {
       "first": ["ba", "be", "bi", "bo", "bu", "da", "de", "di", "do", "du", "fa", "fe", "fi",
                 "fo", "fu"],
       "second": ["ga", "ge", "gi", "go", "gu", "ha", "he", "hi", "ho", "hu", "ka", "ke", "ki",
                  "ko", "ku"]},
     "dummies": ["ma", "me", "mi", "mo", "mu", "na", "ne", "ni", "no", "nu"]}
    """

  /// - Parameter change: changes a tensor's numbers, by its name in the checkpoint.
  static func model(changing change: ((String, inout [Float]) -> Void)? = nil) throws
    -> LanguageModel
  {
    let resources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../TransformerTests/Resources/tiny").standardized.path
    let folder = NSTemporaryDirectory() + "icl-probe-test-\(UUID().uuidString)/tiny"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for file in ["llama_gqa/config.json", "llama_gqa/model.safetensors", "tokenizer.json"] {
      try FileManager.default.copyItem(
        atPath: "\(resources)/\(file)",
        toPath: "\(folder)/\(URL(fileURLWithPath: file).lastPathComponent)")
    }
    defer {
      try? FileManager.default.removeItem(
        at: URL(fileURLWithPath: folder).deletingLastPathComponent())
    }
    if let change {
      let file = try SafetensorsFile("\(folder)/model.safetensors")
      let tensors = try file.names.map { name in
        var values = try file.floats(name)
        change(name, &values)
        return (name, try file.shape(of: name), values)
      }
      try Safetensors.write(tensors, to: "\(folder)/changed.safetensors")
      try FileManager.default.removeItem(atPath: "\(folder)/model.safetensors")
      try FileManager.default.moveItem(
        atPath: "\(folder)/changed.safetensors", toPath: "\(folder)/model.safetensors")
    }
    return try LanguageModel(path: folder)
  }

  static func laboratory(
    threads: Int = 1, seed: UInt64 = 3, changing change: ((String, inout [Float]) -> Void)? = nil
  ) throws -> Laboratory {
    Laboratory(
      engine: Engine(model: try model(changing: change), threads: threads, memory: 64 << 20),
      seed: seed,
      demonstrations: 4)
  }

  static func setting(
    _ laboratory: Laboratory, episodes: Int = 2, demonstrations: Int = 4
  ) throws -> Setting {
    let subject = Subject.task(try Fixtures.read(categorization))
    return Setting(
      subject: subject, episodes: episodes, demonstrations: demonstrations,
      architecture: laboratory.engine.model.architecture,
      tokenizer: laboratory.engine.model.tokenizer,
      tokens: try laboratory.typicalTokens(subject),
      findTask: { throw UserError("there is no task \"\($0)\"") })
  }
}
