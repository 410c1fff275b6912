import TensorCore
import Transformer

/// Patches of the residual stream from a donor run into a recorded run, by the many.
extension Bench {
  /// Variants of one kind, with the arithmetic that they leave.
  private struct Sweep {
    var requests: [ForwardRequest] = []
    var operations = 0.0
  }

  /// Two runs of one length: a donor and a recipient.
  private func runs(_ number: Int, tokens: Int) throws -> (donor: RecordedRun, base: RecordedRun) {
    let runs = try engine.record([
      prompt(2 * number, tokens: tokens), prompt(2 * number + 1, tokens: tokens),
    ])
    return (runs[0], runs[1])
  }

  private func add(
    to sweep: inout Sweep, _ runs: (donor: RecordedRun, base: RecordedRun), layer: Int,
    positions: [Int], logits: LogitRequest
  ) {
    let rows = runs.donor.residualPost(layer: layer, positions: positions)
    sweep.requests.append(
      ForwardRequest(
        tokens: runs.base.tokens, base: runs.base,
        interventions: [
          .edit(
            ActivationEdit(
              at: HookPoint(.residualPost, layer: layer), positions: positions,
              change: .replace(RowSource(rows))))
        ], logits: logits))
    sweep.operations += arithmetic.patch(
      tokens: runs.base.tokens.count, layer: layer, positions: positions)
    if logits.summarises { sweep.operations += arithmetic.unembeddedRow }
  }

  /// Every layer × every position of a prompt of 80 tokens, two logits read; with `--quick` every
  /// fourth position.
  func grid() throws {
    let runs = try runs(0, tokens: 80)
    var sweep = Sweep()
    for layer in 0..<model.architecture.layers {
      for position in stride(from: 0, to: 80, by: isQuick ? 4 : 1) {
        add(
          to: &sweep, runs, layer: layer, positions: [position],
          logits: LogitRequest(tokens: .some([17, 42])))
      }
    }
    let timing = try measure(
      isQuick ? "grid.quick" : "grid", operations: sweep.operations, repeats: 3,
      warmsUp: isQuick
    ) {
      _ = try engine.forward(sweep.requests)
    }
    results.set("grid.patches_per_second", Double(sweep.requests.count) / timing.seconds)
  }

  /// The last position at every layer in 32 episodes, with top token, log Σ exp and two logits.
  func lastPosition() throws {
    var sweep = Sweep()
    for episode in 0..<32 {
      let runs = try runs(episode, tokens: 80)
      for layer in 0..<model.architecture.layers {
        add(
          to: &sweep, runs, layer: layer, positions: [79],
          logits: LogitRequest(tokens: .some([17, 42]), summarises: true))
      }
    }
    try measure("last", operations: sweep.operations, repeats: isQuick ? 3 : 5) {
      _ = try engine.forward(sweep.requests)
    }
  }

  /// The answers of twelve demonstrations together, at every layer in four episodes, read likewise.
  func allAnswers() throws {
    var sweep = Sweep()
    for episode in 0..<4 {
      let runs = try runs(episode, tokens: 80)
      for layer in 0..<model.architecture.layers {
        add(
          to: &sweep, runs, layer: layer, positions: (1...12).map { 6 * $0 - 1 },
          logits: LogitRequest(tokens: .some([17, 42]), summarises: true))
      }
    }
    try measure("answers", operations: sweep.operations, repeats: isQuick ? 3 : 5) {
      _ = try engine.forward(sweep.requests)
    }
  }
}
