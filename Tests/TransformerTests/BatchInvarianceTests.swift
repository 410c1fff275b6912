import TensorCore
import Testing

@testable import Transformer

/// A request gives the same bits on any number of threads, alone and in any batch.
@Suite struct BatchInvarianceTests {
  /// Everything that a mixed batch gives, as bit patterns.
  private func bits(threads: Int, rowBudget: Int, isAlone: Bool = false) throws -> [[UInt32]] {
    let engine = try Golden.engine(threads: threads, rowBudget: rowBudget)
    let tokens = RandomVariants.recipient
    var random = RandomVariants(engine.model.architecture, seed: 11)
    let choices = HookPoint.all(layer: 0).map(\.site).map { random.choice($0, .replace) }
    let edits = try RandomVariants.interventions(choices, engine: engine)
    let base = try engine.record([tokens])[0]
    let all = LogitRequest(tokens: .all, summarises: true)
    let recordings = HookPoint.all(layer: 3).map { Recording($0) }
    let requests =
      edits.map { ForwardRequest(tokens: tokens, base: base, interventions: [$0], logits: all) }
      + [
        ForwardRequest(tokens: tokens, recordings: recordings, logits: all, keepsRun: true),
        ForwardRequest(
          tokens: tokens, base: base, interventions: [random.knockout()], recordings: recordings,
          logits: LogitRequest(tokens: .some([5, 6, 7]))),
        ForwardRequest(tokens: RandomVariants.donor + tokens, logits: all),
      ]
    let results =
      isAlone
      ? try requests.map { try engine.forward([$0])[0] } : try engine.forward(requests)
    let tensors = results.flatMap { result in
      result.logits.map(\.logits) + result.recorded.map(\.values)
        + result.logits.compactMap { $0.summary.map { [$0.topLogit, $0.logSumExp] } }
    }
    let runs = [base] + results.compactMap(\.run)
    let residuals = runs.map {
      $0.residualPost(layer: 29, positions: Array(tokens.indices)).values
    }
    return (tensors + residuals).map { $0.map(\.bitPattern) }
  }

  @Test func bitsDoNotDependOnThreadsOrBatch() throws {
    let one = try bits(threads: 1, rowBudget: 4096)
    #expect(one.count > 50)
    for (threads, rowBudget, isAlone) in [
      (2, 4096, false), (3, 4096, false), (2, 100, false), (1, 31, false), (2, 4096, true),
    ] {
      let others = try bits(threads: threads, rowBudget: rowBudget, isAlone: isAlone)
      #expect(others == one, "\(threads) threads, \(rowBudget) rows, alone \(isAlone)")
    }
  }
}
