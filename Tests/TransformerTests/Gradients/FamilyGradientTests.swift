import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Derivatives at every hook point of every tiny family against central differences of
/// `DoubleTransformer`.
@Suite struct FamilyGradientTests {
  /// A direction of `count` values with a seed.
  private func direction(_ count: Int, _ seed: Int) -> [Double] {
    var stream = RandomStream(seed: UInt64(seed), path: [77])
    return (0..<count).map { _ in Double(stream.uniform()) * 2 - 1 }
  }

  private func logProbability(_ logits: [Double], _ token: Int) -> Double {
    let largest = logits.max() ?? 0
    return logits[token] - largest - log(logits.reduce(0) { $0 + exp($1 - largest) })
  }

  @Test(arguments: TinyModel.allCases)
  func derivativesAreThoseOfCentralDifferences(tiny: TinyModel) throws {
    let model = try tiny.load()
    let architecture = model.architecture
    let tokens = Array(try tiny.tokens().prefix(9))
    let engine = Engine(model: model, threads: 2)
    let plain = DoubleTransformer(model: model)
    let hooks =
      [HookPoint(.embedding)]
      + (0..<architecture.layers).flatMap { layer in
        HookPoint.Site.withGradient.filter(\.isInBlock).map { HookPoint($0, layer: layer) }
      }.filter { (try? $0.validate(for: architecture)) != nil }
    let (right, wrong) = (5, 11)
    let objectives: [(GradientRequest.Objective, ([Double]) -> Double)] = [
      (.logitDifference(right: right, wrong: wrong), { $0[right] - $0[wrong] }),
      (.logProbability(right), { logProbability($0, right) }),
    ]
    let logits = plain.logits(tokens)
    let results = try engine.gradients(
      objectives.map { GradientRequest(tokens: tokens, objective: $0.0, hooks: hooks) })
    for (result, (_, value)) in zip(results, objectives) {
      #expect(abs(Double(result.value) - value(logits)) < 2e-4)
    }
    // In f64 a small step is exact to about 1e-8.
    let step = 1e-4
    for (index, hook) in hooks.enumerated() {
      let gradient = results[0].gradients[index]
      let direction = direction(gradient.count, index)
      let rows = stride(from: 0, to: direction.count, by: gradient.columns).map {
        Array(direction[$0..<$0 + gradient.columns])
      }
      func logits(_ factor: Double) -> [Double] {
        plain.logits(tokens, shift: .init(hook: hook, rows: rows, factor: factor))
      }
      let (above, below) = (logits(step), logits(-step))
      for (result, (_, value)) in zip(results, objectives) {
        let gradient = result.gradients[index].values
        let found = zip(gradient, direction).reduce(0) { $0 + Double($1.0) * $1.1 }
        let expected = (value(above) - value(below)) / (2 * step)
        let size = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(
          abs(found - expected) < 2e-4 * max(size, 1e-3), "\(hook): \(found), not \(expected)")
      }
    }
  }

  /// One pass over several prompts, kept or computed again, from tokens or from recorded runs, from the
  /// middle of a sequence or from a block: all the same derivatives.
  @Test(arguments: [TinyModel.llama, .gemma2, .gptJ])
  func waysAgree(tiny: TinyModel) throws {
    let model = try tiny.load()
    let architecture = model.architecture
    let all = try tiny.tokens()
    let prompts = [Array(all.prefix(7)), Array(all.prefix(11)), Array(all.dropFirst(2).prefix(9))]
    let layer = 1
    let hooks = [
      HookPoint(.residualPost, layer: layer), HookPoint(.pattern, layer: layer),
      HookPoint(.key, layer: architecture.layers - 1), HookPoint(.scores, layer: 1),
      HookPoint(.pattern, layer: architecture.layers - 1),
    ]
    func requests(_ change: (inout GradientRequest, Int) throws -> Void) rethrows
      -> [GradientRequest]
    {
      try prompts.indices.map { index in
        var request = GradientRequest(
          tokens: prompts[index], objective: .logProbability(3), hooks: hooks)
        try change(&request, index)
        return request
      }
    }
    let plenty = Engine(model: model, threads: 2)
    let runs = try plenty.record(prompts)
    let together = try plenty.gradients(requests { _, _ in })
    let scarce = Engine(model: model, threads: 1, rowBudget: 4096, memory: 1 << 16)
    let first = 3
    let ways: [(String, first: Int, [GradientResult])] = [
      ("alone", 0, try requests { _, _ in }.map { try plenty.gradients($0) }),
      ("computed again", 0, try scarce.gradients(requests { _, _ in })),
      ("recorded", 0, try plenty.gradients(requests { $0.base = runs[$1] })),
      (
        "from a block", 0,
        try plenty.gradients(
          requests {
            $0.start = .init(
              layer: layer,
              rows: runs[$1].residualPost(layer: layer - 1, positions: Array(prompts[$1].indices)))
          })
      ),
      (
        "from a position", first,
        try plenty.gradients(
          requests {
            $0.base = runs[$1]
            $0.start = .init(
              layer: layer,
              rows: runs[$1].residualPost(
                layer: layer - 1, positions: Array(first..<prompts[$1].count)))
          })
      ),
    ]
    for (name, first, results) in ways {
      for (result, expected) in zip(results, together) {
        #expect(abs(result.value - expected.value) < 1e-4, "\(name)")
        for (hook, (found, whole)) in zip(hooks, zip(result.gradients, expected.gradients)) {
          let axis = hook.width(in: architecture) == nil ? 1 : 0
          let part = whole.slice(axis, first..<whole.shape[axis])
          #expect(found.shape == part.shape)
          #expect(
            relativeError(found.values, part.values) < 1e-4, "\(name), \(hook)")
        }
      }
    }
  }

  /// A pass gives the same bits for any number of threads.
  @Test func threadsChangeNothing() throws {
    let model = try TinyModel.llama.load()
    let tokens = try TinyModel.llama.tokens()
    let request = GradientRequest(
      tokens: tokens, objective: .logProbability(3),
      hooks: [HookPoint(.residualPre, layer: 0), HookPoint(.pattern, layer: 0)])
    let results = try [1, 2, 5].map {
      try Engine(model: model, threads: $0).gradients([request, request])[1]
    }
    for result in results.dropFirst() {
      for (a, b) in zip(result.gradients, results[0].gradients) { #expect(a.values == b.values) }
    }
  }

  @Test func refusesWhatItCannotDo() throws {
    let model = try TinyModel.llama.load()
    let engine = Engine(model: model, threads: 1)
    let tokens = Array(try TinyModel.llama.tokens().prefix(5))
    func message(_ change: (inout GradientRequest) -> Void) -> String {
      var request = GradientRequest(
        tokens: tokens, objective: .logProbability(3), hooks: [HookPoint(.residualPost, layer: 0)])
      change(&request)
      do {
        _ = try engine.gradients(request)
        return ""
      } catch { return "\(error)" }
    }
    #expect(message { _ in } == "")
    #expect(
      message { $0.hooks = [HookPoint(.attentionNormScale, layer: 0)] }
        .contains("derivatives are not kept there"))
    #expect(message { $0.objective = .logProbability(1 << 30) }.contains("not in the vocabulary"))
    #expect(
      message {
        $0.start = .init(layer: 0, rows: Tensor(zeros: [2, model.architecture.width]))
      }.contains("needs a run of the positions before it"))
    #expect(
      message {
        $0.start = .init(layer: 1, rows: Tensor(zeros: [5, model.architecture.width]))
      }.contains("the pass begins before block 1"))
    #expect(message { $0.start = .init(layer: 0, rows: Tensor(zeros: [5, 1])) }.contains("shape"))
    #expect(
      message { $0.hooks = [HookPoint(.residualPost, layer: 99)] }.contains("out of range"))
  }
}
