import Foundation
import TensorCore
import Transformer

@testable import RuleVectors

/// Compiled networks, loaded, and probes run on them and reported.
enum CompiledLaboratory {
  static func vocabulary() throws -> NetworkVocabulary {
    try NetworkVocabulary(Fixtures.task("multi-demo-rule"))
  }

  static func model(_ kind: CompiledNetwork.Kind) throws -> LanguageModel {
    let folder = NSTemporaryDirectory() + "icl-probe-test-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try CompiledNetwork(kind, vocabulary()).write(to: folder)
    return try LanguageModel(path: folder)
  }

  static func laboratory(_ kind: CompiledNetwork.Kind, demonstrations: Int = 8) throws -> Laboratory
  {
    Laboratory(
      engine: Engine(model: try model(kind), threads: 1, memory: 256 << 20), seed: 5,
      demonstrations: demonstrations)
  }

  static func setting(_ laboratory: Laboratory, episodes: Int) throws -> Setting {
    let subject = Subject.task(try Fixtures.task("multi-demo-rule"))
    return Setting(
      subject: subject, episodes: episodes, demonstrations: laboratory.demonstrations,
      architecture: laboratory.engine.model.architecture,
      tokenizer: laboratory.engine.model.tokenizer,
      tokens: try laboratory.typicalTokens(subject),
      findTask: { try Fixtures.task($0) })
  }

  /// One probe on the task, run and reported.
  static func section(
    _ laboratory: Laboratory, _ probe: String, episodes: Int = 12
  ) throws -> Section {
    let task = try Fixtures.task("multi-demo-rule")
    let value = try JSONValue(parsing: Data(probe.utf8), place: "probe")
    let probe = try Probe(JSONReader(value, place: "probe"))
    let setting = try setting(laboratory, episodes: episodes)
    let runner = Runner(
      plan: try RunPlan([probe], setting), laboratory: laboratory, model: "compiled",
      verifications: 0)
    var rows: [StoredRow] = []
    try runner(known: [], append: { rows += $0 }, watch: { _ in })
    let own = rows.filter { $0.key.probe == probe.name }
    let shared = rows.filter { $0.key.probe != probe.name }
    return try probe.experiment.section(
      own,
      Findings(
        probe: probe.name, title: probe.title, task: task.name, model: "compiled", examples: [],
        shared: shared, stem: probe.name, seed: 5))
  }
}
