import Foundation
import TensorCore

@testable import RuleVectors
@testable import Transformer

extension FuzzedReader {
  static func readCatalogue(_ bytes: [UInt8]) throws {
    _ = try reader(bytes, place: "models.json").list().map { try CatalogueEntry($0) }
  }

  static func readTask(_ bytes: [UInt8]) throws {
    let task = try RuleTask(reader(bytes, place: "task.json"))
    _ = task.template.warnings
    _ = EpisodeSampler(task: task)
  }

  static func readProbe(_ bytes: [UInt8]) throws {
    let probe = try Probe(reader(bytes, place: "probe.json"))
    _ = probe.definitionDigest
  }

  static func readPairs(_ bytes: [UInt8]) throws {
    let path = "\(folder)/pairs.jsonl"
    try write(bytes, to: path)
    _ = try PromptPairs(contentsOf: path).pairs
  }

  /// Interventions on three tokens of a model of one block.
  static func readInterventions(_ bytes: [UInt8]) throws {
    let file = try InterventionFile(
      reader(bytes, place: "interventions.json"), folder: URL(fileURLWithPath: folder))
    let engine = try engine()
    let tokens = [1, 2, 3]
    let interventions = try file.resolve(for: tokens, engine: engine) { text in
      try engine.model.tokenizer.encode(text)
    }
    _ = try engine.forward(
      ForwardRequest(
        tokens: tokens, interventions: interventions,
        logits: LogitRequest(positions: [2], tokens: .all)))
  }

  /// The seed's model; an engine is not for several threads.
  private static func engine() throws -> Engine {
    let seed = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../seeds/gguf/llama.gguf")
    return Engine(model: try loaded.model(seed.path), threads: 1)
  }

  private static let loaded = LoadedModel()
}

/// The model, read once.
private final class LoadedModel: @unchecked Sendable {
  private let lock = NSLock()
  private var held: LanguageModel?

  func model(_ path: String) throws -> LanguageModel {
    try lock.withLock {
      if let held { return held }
      let read = try LanguageModel(gguf: path)
      held = read
      return read
    }
  }
}
