import TensorCore
import Testing

@testable import Transformer

/// The forward pass of SmolLM2 against transformers' f32 numbers; tolerances are those that the
/// reference's own error suggests.
@Suite struct ForwardGoldenTests {
  @Test func promptsGiveTheReferenceLogits() throws {
    let engine = try Golden.engine()
    let prompts = try Golden.json("smollm2/prompts.json").at("prompts").list()
    #expect(prompts.count == 13)
    let requests = try prompts.map { prompt in
      ForwardRequest(
        tokens: try prompt.at("ids").integers(),
        logits: LogitRequest(tokens: .all, summarises: true))
    }
    let results = try engine.forward(requests)
    for (prompt, result) in zip(prompts, results) {
      let name = try prompt.at("name").string()
      let row = try #require(result.logits.first)
      let top = try prompt.at("top10_last").list()
      let ids = try top.map { try $0.at("id").integer() }
      let expected = try top.map { Float(try $0.at("logit").number()) }
      #expect(largestDifference(ids.map { row.logits[$0] }, expected) < 5e-4, "\(name)")
      let order = row.logits.indices.sorted { row.logits[$0] > row.logits[$1] }.prefix(10)
      #expect(Array(order) == ids, "\(name)")
      let total = Float(try prompt.at("logsumexp_last").number())
      #expect(abs(try #require(row.summary).logSumExp - total) < 5e-4, "\(name)")
      #expect(row.summary?.topToken == ids[0], "\(name)")
    }
  }

  @Test(arguments: ["icl_letters", "unicode_emoji", "long_300"])
  func everyLayerGivesTheReferenceResidual(prompt: String) throws {
    let engine = try Golden.engine()
    let file = try Golden.tensors("smollm2/residuals.safetensors")
    let tokens = try file.integers("\(prompt).input_ids")
    let last = [tokens.count - 1]
    let layers = engine.model.architecture.layers
    let result = try engine.forward(
      ForwardRequest(
        tokens: tokens,
        recordings: [Recording(HookPoint(.embedding), positions: last)]
          + (0..<layers).map { Recording(HookPoint(.residualPost, layer: $0), positions: last) }
          + [Recording(HookPoint(.finalNormalized), positions: last)],
        logits: LogitRequest(tokens: .all)))
    #expect(result.recorded[0].values == (try file.floats("\(prompt).embed")))
    let expected = Tensor(
      try file.floats("\(prompt).resid_post"), shape: [layers, engine.model.architecture.width])
    for layer in 0..<layers {
      let row = result.recorded[layer + 1].values
      #expect(relativeError(row, expected.row(layer)) < 2e-5, "layer \(layer)")
      #expect(largestDifference(row, expected.row(layer)) < 5e-3, "layer \(layer)")
    }
    let norm = try file.floats("\(prompt).final_norm")
    let normed = weighted(result.recorded[layers + 1].values, engine.model.weights.finalNorm)
    #expect(relativeError(normed, norm) < 2e-5)
    let logits = try #require(result.logits.first).logits
    #expect(largestDifference(logits, try file.floats("\(prompt).logits")) < 5e-4)
  }

  @Test func everyPositionGivesTheReferenceActivations() throws {
    let engine = try Golden.engine()
    let file = try Golden.tensors("smollm2/short_full.safetensors")
    let prompts = try Golden.json("smollm2/prompts.json").at("prompts").list()
    let prompt = try #require(try prompts.first { try $0.at("name").string() == "short_full" })
    let tokens = try prompt.at("ids").integers()
    let rows: [(String, HookPoint)] = [
      ("embed", HookPoint(.embedding)), ("resid_post.0", HookPoint(.residualPost, layer: 0)),
      ("resid_post.14", HookPoint(.residualPost, layer: 14)),
      ("resid_post.29", HookPoint(.residualPost, layer: 29)),
      ("final_norm", HookPoint(.finalNormalized)), ("z.15", HookPoint(.headOutput, layer: 15)),
      ("attn_out.15", HookPoint(.attentionOutput, layer: 15)),
      ("mlp_out.15", HookPoint(.mlpOutput, layer: 15)),
    ]
    let patterns = [0, 15]
    let result = try engine.forward(
      ForwardRequest(
        tokens: tokens,
        recordings: rows.map { Recording($0.1) }
          + patterns.map { Recording(HookPoint(.pattern, layer: $0)) },
        logits: LogitRequest(positions: Array(tokens.indices), tokens: .some(Array(0..<2048)))))
    for (index, (name, _)) in rows.enumerated() {
      var actual = result.recorded[index]
      if rows[index].1.site == .finalNormalized {
        actual = Tensor(
          weighted(actual.values, engine.model.weights.finalNorm), shape: actual.shape)
      }
      let expected = Tensor(try file.floats(name), shape: actual.shape)
      for position in tokens.indices {
        #expect(
          relativeError(actual.row(position), expected.row(position)) < 2e-5,
          "\(name), position \(position)")
      }
    }
    let heads = engine.model.architecture.heads
    for (index, layer) in patterns.enumerated() {
      // The reference has heads first, a recording has positions first.
      let actual = result.recorded[rows.count + index]
      let expected = try file.floats("attn_pattern.\(layer)")
      let length = tokens.count
      #expect(actual.shape == [length, heads, length])
      for position in 0..<length {
        for head in 0..<heads {
          let start = (head * length + position) * length
          #expect(
            largestDifference(
              actual.row(position * heads + head), Array(expected[start..<start + length])) < 1e-5)
        }
      }
    }
    let expected = try file.floats("logits_all_positions_first_2048")
    #expect(result.logits.map(\.position) == Array(tokens.indices))
    #expect(largestDifference(result.logits.flatMap(\.logits), expected) < 5e-4)
  }
}
