import TensorCore
import Testing

@testable import Transformer

/// Hook points against TransformerLens 4.3 (its bridge over transformers, eager attention, f32): values
/// of block 1 at positions 0, 11 and 19, and the last position's logits of edited runs.
@Suite struct TransformerLensTests {
  static let models: [TinyModel] = [.gpt2, .gptNeoX, .gemma2, .qwen3]
  static let positions = [0, 11, 19]

  private func golden(_ tiny: TinyModel) throws -> SafetensorsFile {
    try Golden.tensors("tiny/\(tiny.name)/transformer_lens.safetensors")
  }

  @Test(arguments: models, [false, true])
  func valuesAreThoseOfTransformerLens(tiny: TinyModel, based: Bool) throws {
    let file = try golden(tiny)
    let engine = Engine(model: try tiny.load(), threads: 2)
    let tokens = try tiny.tokens()
    let names = file.names.filter { !$0.hasPrefix("edited.") }
    let hooks = try names.map { try HookPoint(parsing: $0) }
    let result = try engine.forward(
      ForwardRequest(
        tokens: tokens, base: based ? try engine.record([tokens])[0] : nil,
        recordings: hooks.map { Recording($0, positions: Self.positions) }))
    #expect(names.count >= 18)
    for (name, tensor) in zip(names, result.recorded) {
      let expected = try file.floats(name)
      #expect(tensor.count == expected.count, "\(name)")
      let difference = largestDifference(tensor.values, expected)
      #expect(difference < 1e-4, "\(name): \(difference)")
    }
  }

  @Test(arguments: models, [false, true])
  func editsGiveTheLogitsOfTransformerLens(tiny: TinyModel, based: Bool) throws {
    let engine = Engine(model: try tiny.load(), threads: 2)
    let tokens = try tiny.tokens()
    let base = based ? try engine.record([tokens])[0] : nil
    let width = engine.model.architecture.width
    let ones = RowSource([Float](repeating: 1, count: width), count: tokens.count)
    let edits: [(String, ActivationEdit.Change)] = [
      ("blocks.1.ln1.hook_scale", .scale(2)), ("blocks.1.ln2.hook_normalized", .scale(0.5)),
      ("ln_final.hook_normalized", .replace(ones)),
    ]
    for (name, change) in edits {
      let edit = ActivationEdit(
        at: try HookPoint(parsing: name), positions: Array(tokens.indices), change: change)
      let logits = try engine.forward(
        ForwardRequest(
          tokens: tokens, base: base, interventions: [.edit(edit)],
          logits: LogitRequest(tokens: .all))
      ).allLogits
      let difference = largestDifference(logits, try golden(tiny).floats("edited.\(name)"))
      #expect(difference < 2e-4, "\(name): \(difference)")
    }
  }
}
