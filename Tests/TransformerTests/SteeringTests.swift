import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Vectors from files, donors from texts, and what of them acts on new tokens.
@Suite struct SteeringTests {
  static let tokens = RandomVariants.recipient

  private func file(_ text: String, folder: TemporaryFolder? = nil) throws -> InterventionFile {
    let folder = try folder ?? TemporaryFolder()
    try folder.write(text, to: "edits.json")
    return try InterventionFile(contentsOf: "\(folder.path)/edits.json")
  }

  private func edits(_ file: InterventionFile) throws -> [ActivationEdit] {
    let engine = try Golden.engine()
    return try file.resolve(
      for: Self.tokens, engine: engine, tokenize: engine.model.tokenizer.encode
    ).compactMap { if case .edit(let edit) = $0 { edit } else { nil } }
  }

  private func rows(_ edit: ActivationEdit) -> [[Float]] {
    switch edit.change {
    case .replace(let source), .add(let source): source.rows.map { source.tensor.row($0) }
    default: []
    }
  }

  @Test func vectorsComeFromSafetensorsBesideTheList() throws {
    let folder = try TemporaryFolder()
    let values = (0..<576).map { Float($0) / 8 }
    try Safetensors.write(
      [("v", [576], values), ("short", [2], [1, 2])], to: "\(folder.path)/v.safetensors")
    func text(_ tensor: String, _ scale: String) -> String {
      """
      [{"hook": "blocks.3.hook_out", "positions": [2, 5],
        "edit": {"add": {"file": "v.safetensors", "tensor": "\(tensor)"\(scale)}}}]
      """
    }
    let edit = try edits(file(text("v", #", "scale": -4"#), folder: folder))[0]
    #expect(rows(edit) == Array(repeating: values.map { $0 * -4 }, count: 2))
    #expect(rows(try edits(file(text("v", ""), folder: folder))[0])[0] == values)
    for (tensor, part) in [("w", "no array \"w\""), ("short", "2 values")] {
      let error = #expect(throws: UserError.self) {
        try edits(file(text(tensor, ""), folder: folder))
      }
      #expect(try #require(error).description.contains(part))
    }
  }

  @Test func donorTextsBecomeTokensAsThePromptDoes() throws {
    let hook = #""hook": "blocks.9.hook_resid_post", "positions": [-1]"#
    let text = "hot -> cold\nFrance"
    let tokens = try Golden.engine().model.tokenizer.encode(text)
    let named = try edits(
      file(#"[{\#(hook), "edit": {"donor": {"text": "hot -> cold\nFrance"}}}]"#))
    let counted = try edits(file(#"[{\#(hook), "edit": {"donor": {"tokens": \#(tokens)}}}]"#))
    #expect(rows(named[0]) == rows(counted[0]) && rows(named[0])[0].count == 576)
  }

  @Test func entriesAtTheLastPositionActOnNewTokens() throws {
    let engine = try Golden.engine()
    let file = try file(
      """
      [{"hook": "blocks.3.hook_resid_post", "positions": [1], "edit": "zero"},
       {"hook": "blocks.4.attn.hook_z", "positions": "all", "heads": [2], "edit": {"scale": 0.5}},
       {"hook": "blocks.5.hook_resid_post", "positions": [0, -1],
        "edit": {"donor": {"tokens": [5, 6, 7], "positions": [1, 2]}}},
       {"knockout": {"layers": [2, 3], "queries": [4, -1], "keys": [0, -2]}},
       {"knockout": {"layers": [2, 3], "queries": [4], "keys": [0]}}]
      """)
    let resolved = try file.resolve(
      for: Self.tokens, engine: engine, tokenize: engine.model.tokenizer.encode)
    let continued = try ContinuedInterventions(
      file, resolved: resolved, architecture: engine.model.architecture)
    let donor = try engine.forward(
      ForwardRequest(
        tokens: [5, 6, 7],
        recordings: [Recording(HookPoint(.residualPost, layer: 5), positions: [2])])
    ).recorded[0].values
    for position in [10, 25] {
      let interventions = continued(at: position)
      #expect(interventions.count == 3)
      guard case .edit(let scale) = interventions[0], case .edit(let replace) = interventions[1],
        case .knockout(let edges) = interventions[2]
      else { throw UserError("other interventions") }
      #expect(scale.hook == HookPoint(.headOutput, layer: 4))
      #expect(scale.positions == [position] && scale.heads == [2])
      guard case .scale(0.5) = scale.change else { throw UserError("not scaled") }
      #expect(replace.positions == [position])
      #expect(relativeError(rows(replace)[0], donor) < 1e-5)
      #expect(edges.queries == [position] && edges.keys == [0, position - 1])
      #expect(edges.layers == 2...3)
    }
  }

  @Test func whatCannotActOnNewTokensIsNamed() throws {
    let engine = try Golden.engine()
    func error(_ text: String) throws -> String {
      let file = try file(text)
      let resolved = try file.resolve(
        for: Self.tokens, engine: engine, tokenize: engine.model.tokenizer.encode)
      let error = #expect(throws: UserError.self) {
        try ContinuedInterventions(
          file, resolved: resolved, architecture: engine.model.architecture)
      }
      return try #require(error).description
    }
    #expect(
      try error(#"[{"hook": "blocks.3.hook_in", "positions": [9], "edit": "zero"}]"#)
        .contains("no intervention acts on new tokens"))
    #expect(
      try error(
        #"[{"hook": "blocks.3.attn.hook_pattern", "positions": [-1], "edit": {"donor": {"tokens": \#(Self.tokens)}}}]"#
      ).contains("weights has the prompt's length"))
  }

  // MARK: - Control vectors

  private func controlVector(
    _ names: [String], width: Int = 576, architecture: String = "controlvector"
  ) throws -> (TemporaryFolder, String) {
    var builder = GGUFBuilder()
    builder.add("general.architecture", architecture)
    for (number, name) in names.enumerated() {
      builder.addTensor(
        name, shape: [UInt64(width)], type: 0,
        bytes: (0..<width).flatMap {
          GGUFBuilder.number((Float($0 % 7) + Float(number)).bitPattern)
        })
    }
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/vector.gguf"
    try Data(builder.bytes).write(to: URL(fileURLWithPath: path))
    return (folder, path)
  }

  @Test func directionsAreAddedAfterTheirBlocks() throws {
    let (_folder, path) = try controlVector(["direction.12", "direction.2"])
    let engine = try Golden.engine()
    let list = InterventionFile(
      try ControlVector(contentsOf: path, scale: 0.5), place: "option '--control-vector'")
    let resolved = try list.resolve(for: Self.tokens, engine: engine, tokenize: { _ in [] })
    func run(_ interventions: [Intervention]) throws -> ForwardResult {
      try engine.forward(
        ForwardRequest(
          tokens: Self.tokens, interventions: interventions,
          recordings: [1, 2].map { Recording(HookPoint(.residualPost, layer: $0)) },
          logits: LogitRequest(tokens: .all)))
    }
    let (clean, steered) = (try run([]), try run(resolved))
    #expect(steered.recorded[0].values == clean.recorded[0].values)
    let expected = clean.recorded[1].values.enumerated().map {
      $1 + 0.5 * (Float($0 % 576 % 7) + 1)
    }
    #expect(largestDifference(steered.recorded[1].values, expected) < 1e-4)
    let direct = [(2, 1), (12, 0)].map { layer, number in
      Intervention.edit(
        ActivationEdit(
          at: HookPoint(.residualPost, layer: layer), positions: Array(0..<10),
          change: .add(
            RowSource((0..<576).map { 0.5 * (Float($0 % 7) + Float(number)) }, count: 10))))
    }
    #expect(try run(direct).allLogits == steered.allLogits)
    withExtendedLifetime(_folder) {}
  }

  @Test func filesThatAreNoControlVectorsAreNamed() throws {
    for (names, architecture, part) in [
      (["direction.1"], "llama", "architecture is llama"),
      (["direction.0"], "controlvector", "direction.0"),
      (["vector"], "controlvector", "\"vector\" is no direction"),
      ([], "controlvector", "no directions"),
    ] {
      let (folder, path) = try controlVector(names, architecture: architecture)
      let error = #expect(throws: UserError.self) { try ControlVector(contentsOf: path) }
      #expect(try #require(error).description.contains(part))
      withExtendedLifetime(folder) {}
    }
    for (name, width, part) in [
      ("direction.30", 576, "layer 30"), ("direction.1", 64, "64 values"),
    ] {
      let (folder, path) = try controlVector([name], width: width)
      let list = InterventionFile(try ControlVector(contentsOf: path), place: "vector")
      let error = #expect(throws: UserError.self) {
        try list.resolve(for: Self.tokens, engine: Golden.engine(), tokenize: { _ in [] })
      }
      #expect(try #require(error).description.contains(part))
      withExtendedLifetime(folder) {}
    }
  }

  @Test func differencesOfMeansAreWrittenAndReadBack() throws {
    let engine = Engine(model: try TinyModel.gemma2.load(), threads: 2)
    let sets: [[ActivationFile.Prompt]] = [
      [
        ActivationFile.Prompt(tokens: [5, 17, 256], positions: [1, 2]),
        ActivationFile.Prompt(tokens: [42, 7], positions: [1]),
      ],
      [ActivationFile.Prompt(tokens: [1, 2, 3, 4], positions: [3])],
    ]
    let vector = try ControlVector(towards: sets[0], away: sets[1], engine: engine)
    #expect(vector.directions.map(\.layer) == [1, 2])
    for (layer, direction) in vector.directions {
      let rows = try sets.map { prompts in
        try prompts.flatMap { prompt in
          let run = try engine.record([prompt.tokens])[0]
          let tensor = run.residualPost(layer: layer, positions: prompt.positions)
          return (0..<tensor.rows).map { tensor.row($0) }
        }
      }
      let expected = (0..<48).map { column in
        rows[0].reduce(0) { $0 + $1[column] } / 3 - rows[1][0][column]
      }
      #expect(largestDifference(direction, expected) < 1e-5)
    }
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/v.gguf"
    try vector.write(to: path, family: "gemma2")
    let read = try ControlVector(contentsOf: path)
    #expect(read.directions.map(\.layer) == [1, 2])
    #expect(read.directions.map(\.vector) == vector.directions.map(\.vector))
    let file = try GGUFFile(path)
    #expect(try file.string("controlvector.model_hint") == "gemma2")
    #expect(try file.integer("controlvector.layer_count") == 2)
    #expect(try file.entry("direction.2").shape == [48])
  }
}
