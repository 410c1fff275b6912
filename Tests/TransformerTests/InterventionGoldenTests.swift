import TensorCore
import Testing

@testable import Transformer

/// Fourteen interventions on SmolLM2 against hooked runs of transformers, each computed in two ways:
/// in full, and as a variant of a recorded run.
@Suite struct InterventionGoldenTests {
  static let cases = Result { try Golden.json("smollm2/interventions.json").at("cases").list() }

  /// A case run in full, as a variant of the recorded run, and without its interventions.
  private struct Outcome {
    let full: ForwardResult
    let reusing: ForwardResult
    let plain: ForwardResult
  }

  /// All cases in one batch, so that the weights are unpacked once.
  private static let outcomes = Result {
    let engine = try Golden.engine()
    let cases = try Self.cases.get()
    let sequences = try cases.map { try $0.at("recipient_ids").integers() }
    let bases = try engine.record(sequences)
    let donors = try cases.map { try $0.entries().first { $0.0 == "donor_ids" }?.1.integers() }
    let donorRuns = try engine.record(donors.map { $0 ?? [0] })
    var requests: [ForwardRequest] = []
    for (index, golden) in cases.enumerated() {
      let tokens = sequences[index]
      let interventions = try interventions(of: golden, tokens: tokens, donor: donorRuns[index])
      var request = ForwardRequest(
        tokens: tokens, interventions: interventions,
        recordings: [Recording(HookPoint(.finalNormalized), positions: [tokens.count - 1])],
        logits: LogitRequest(
          tokens: .some(try golden.at("token_ids").integers()), summarises: true))
      requests.append(request)
      request.base = bases[index]
      requests.append(request)
      requests.append(ForwardRequest(tokens: tokens, logits: request.logits))
    }
    let results = try engine.forward(requests)
    return cases.indices.map {
      Outcome(full: results[3 * $0], reusing: results[3 * $0 + 1], plain: results[3 * $0 + 2])
    }
  }

  @Test(arguments: 0..<14)
  func interventionGivesTheReferenceLogits(number: Int) throws {
    let golden = try Self.cases.get()[number]
    let outcome = try Self.outcomes.get()[number]
    let name = try golden.at("name").string()
    let norm = try Golden.tensors("smollm2/interventions.safetensors")
      .floats("\(name).result_final_norm")
    for result in [outcome.full, outcome.reusing] {
      let row = try #require(result.logits.first)
      let summary = try #require(row.summary)
      #expect(largestDifference(row.logits, try golden.at("result_logits").floats()) < 1e-3)
      #expect(abs(summary.logSumExp - Float(try golden.at("result_logsumexp").number())) < 1e-3)
      #expect(summary.topToken == (try golden.at("result_top1").integer()))
      #expect(
        relativeError(
          weighted(result.recorded[0].values, try Golden.smollm2.get().weights.finalNorm), norm)
          < 1e-4)
    }
    let plain = try #require(outcome.plain.logits.first)
    #expect(largestDifference(plain.logits, try golden.at("baseline_logits").floats()) < 5e-4)
  }

  private static func interventions(
    of golden: JSONReader, tokens: [Int], donor: RecordedRun
  ) throws -> [Intervention] {
    let name = try golden.at("name").string()
    func positions() throws -> [Int] {
      let reader = try golden.at("positions")
      return (try? reader.integers()) ?? Array(tokens.indices)
    }
    let file = try Golden.tensors("smollm2/interventions.safetensors")
    switch try golden.at("kind").string() {
    case "resid_patch":
      let hook = HookPoint(.residualPost, layer: try golden.at("layer").integer())
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
