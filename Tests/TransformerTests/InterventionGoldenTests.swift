import TensorCore
import Testing

@testable import Transformer

/// Fourteen interventions on SmolLM2 against hooked runs of transformers, each computed in two ways:
/// in full, and as a variant of a recorded run.
@Suite struct InterventionGoldenTests {
  static let cases = Result { try Golden.json("smollm2/interventions.json").at("cases").list() }

  @Test(arguments: 0..<14, [false, true])
  func interventionGivesTheReferenceLogits(number: Int, reusing: Bool) throws {
    let engine = try Golden.engine()
    let golden = try Self.cases.get()[number]
    let name = try golden.at("name").string()
    let tokens = try golden.at("recipient_ids").integers()
    let interventions = try interventions(of: golden, name: name, engine: engine, tokens: tokens)
    let base = reusing ? try engine.record([tokens])[0] : nil
    let ids = try golden.at("token_ids").integers()
    let result = try engine.forward(
      ForwardRequest(
        tokens: tokens, base: base, interventions: interventions,
        recordings: [Recording(HookPoint(.finalNorm), positions: [tokens.count - 1])],
        logits: LogitRequest(tokens: .some(ids), summarises: true)))
    let row = try #require(result.logits.first)
    let summary = try #require(row.summary)
    #expect(largestDifference(row.logits, try golden.at("result_logits").floats()) < 1e-3)
    #expect(abs(summary.logSumExp - Float(try golden.at("result_logsumexp").number())) < 1e-3)
    #expect(summary.topToken == (try golden.at("result_top1").integer()))
    let norm = try Golden.tensors("smollm2/interventions.safetensors")
      .floats("\(name).result_final_norm")
    #expect(relativeError(result.recorded[0].values, norm) < 1e-4)
    let plain = try engine.forward(
      ForwardRequest(tokens: tokens, logits: LogitRequest(tokens: .some(ids))))
    #expect(
      largestDifference(plain.logits[0].logits, try golden.at("baseline_logits").floats()) < 5e-4)
  }

  private func interventions(
    of golden: JSONReader, name: String, engine: Engine, tokens: [Int]
  ) throws -> [Intervention] {
    func positions() throws -> [Int] {
      let reader = try golden.at("positions")
      return (try? reader.integers()) ?? Array(tokens.indices)
    }
    let file = try Golden.tensors("smollm2/interventions.safetensors")
    switch try golden.at("kind").string() {
    case "resid_patch":
      let hook = HookPoint(.residualPost, layer: try golden.at("layer").integer())
      let donor = try engine.record([try golden.at("donor_ids").integers()])[0]
      let rows = donor.residualPost(layer: try #require(hook.layer), positions: try positions())
      let reference = Tensor(try file.floats("\(name).donor_resid"), shape: rows.shape)
      for row in 0..<rows.rows {
        #expect(relativeError(rows.row(row), reference.row(row)) < 2e-5)
      }
      return [
        .edit(
          ActivationEdit(at: hook, positions: try positions(), change: .replace(RowSource(rows))))
      ]
    case "head_zero":
      return try golden.at("heads").list().map { pair in
        let pair = try pair.integers()
        return .edit(
          ActivationEdit(
            at: HookPoint(.headOutput, layer: pair[0]), positions: try positions(),
            heads: [pair[1]], change: .zero))
      }
    case "attn_knockout":
      return try golden.at("edges").list().flatMap { edge in
        let layers = try edge.at("layers").integers()
        return try layers.map { layer in
          Intervention.knockout(
            EdgeKnockout(
              layers: layer...layer, queries: try edge.at("queries").integers(),
              keys: try edge.at("keys").integers()))
        }
      }
    default:
      let hook = HookPoint(.residualPost, layer: try golden.at("layer").integer())
      let places = try positions()
      let vector = try file.floats("\(name).vector")
      return [
        .edit(
          ActivationEdit(
            at: hook, positions: places,
            change: .add(RowSource(vector, count: places.count))))
      ]
    }
  }
}
