import Foundation
import TensorCore
import Testing

@testable import Transformer

/// A generated token is what a full run of everything before it gives.
@Suite struct GenerationTests {
  private func prompt(
    _ engine: Engine, _ tokens: [Int], _ interventions: [Intervention] = []
  ) throws -> ForwardResult {
    try engine.forward(
      ForwardRequest(
        tokens: tokens, interventions: interventions, logits: LogitRequest(tokens: .all),
        keepsRun: true))
  }

  /// Generates, and compares every step's logits with those of a run in full.
  ///
  /// - Returns: the last step's logits.
  private func compare(
    _ engine: Engine, _ tokens: [Int], count: Int, prompt changes: [Intervention] = [],
    new: @escaping @Sendable (Int) -> [Intervention] = { _ in [] }
  ) throws -> [Float] {
    var generator = try Generator(
      engine, after: try prompt(engine, tokens, changes), interventions: new)
    var sequence = tokens
    var last: [Float] = []
    for _ in 0..<count {
      let logits = try generator.nextLogits()
      let added = (tokens.count..<sequence.count).flatMap(new)
      let full = try engine.forward(
        ForwardRequest(
          tokens: sequence, interventions: changes + added, logits: LogitRequest(tokens: .all)))
      #expect(largestDifference(logits, full.allLogits) < 1e-4)
      let best = full.allLogits.indices.max { full.allLogits[$0] < full.allLogits[$1] }
      let token = try generator.generate(1).tokens[0]
      #expect(token == best)
      sequence.append(token)
      last = logits
    }
    return last
  }

  /// Longer than Gemma 2's window, and than the room that a run of the prompt begins with.
  @Test(arguments: TinyModel.allCases)
  func everyStepIsAFullRun(tiny: TinyModel) throws {
    let engine = Engine(model: try tiny.load(), threads: 2)
    let tokens = Array(try tiny.tokens().prefix(7))
    _ = try compare(engine, tokens, count: 12)
    let plain = try compare(engine, tokens, count: 6)
    let width = engine.model.architecture.width
    let vector = (0..<width).map { Float($0 % 5) - 2 }
    @Sendable func steering(_ positions: [Int]) -> [Intervention] {
      [
        .edit(
          ActivationEdit(
            at: HookPoint(.residualPost, layer: 0), positions: positions,
            change: .add(RowSource(vector, count: positions.count)))),
        .knockout(EdgeKnockout(layers: 0...1, queries: positions, keys: [positions[0] - 1])),
      ]
    }
    let edited = try compare(engine, tokens, count: 6, prompt: steering([3, 6]))
    let everywhere = try compare(
      engine, tokens, count: 6, prompt: steering([3, 6]), new: { steering([$0]) })
    #expect(largestDifference(edited, plain) > 1e-3)
    #expect(largestDifference(everywhere, edited) > 1e-3)
  }

  @Test func everyStepIsAFullRunOfSmolLM2() throws {
    _ = try compare(try Golden.engine(), RandomVariants.recipient, count: 8)
  }

  @Test func runsThatBranchDoNotDisturbEachOther() throws {
    let engine = Engine(model: try TinyModel.gemma2.load(), threads: 2)
    let base = try #require(try prompt(engine, [5, 17, 256, 299]).run)
    func extended(_ run: RecordedRun, by token: Int) throws -> (RecordedRun, [Float]) {
      var request = ForwardRequest(
        tokens: run.tokens + [token], base: run, logits: LogitRequest(tokens: .all))
      request.extendsBase = true
      let result = try engine.forward(request)
      return (try #require(result.run), result.allLogits)
    }
    let (long, _) = try extended(base, by: 7)
    // Both write behind the same run.
    let (one, first) = try extended(long, by: 9)
    let (_, second) = try extended(long, by: 11)
    let (_, third) = try extended(one, by: 13)
    for (tokens, logits) in [([7, 9], first), ([7, 11], second), ([7, 9, 13], third)] {
      let full = try prompt(engine, base.tokens + tokens)
      #expect(largestDifference(logits, full.allLogits) < 1e-4)
    }
  }

  @Test func generationEnds() throws {
    let engine = Engine(model: try TinyModel.gemma2.load(), threads: 1)
    let tokens = try TinyModel.gemma2.tokens()
    var generator = try Generator(engine, after: try prompt(engine, tokens))
    let (plain, end) = try generator.generate(5)
    #expect(plain.count == 5 && end == .count)
    generator = try Generator(engine, after: try prompt(engine, tokens))
    let third = plain[2]
    let (ended, why) = try generator.generate(5, until: [third])
    #expect(ended == Array(plain.prefix { $0 != third }) + [third] && why == .endToken)
    // The model takes 128 tokens; the logits of the last still give one more.
    generator = try Generator(
      engine, after: try prompt(engine, (0..<126).map { $0 * 7 % 300 }))
    let (last, full) = try generator.generate(10)
    #expect(last.count == 3 && full == .context)
  }

  @Test func extensionsThatLookBackAreRefused() throws {
    let engine = Engine(model: try TinyModel.llama.load(), threads: 1)
    let run = try engine.record([[1, 2, 3]])[0]
    func error(_ change: (inout ForwardRequest) -> Void) throws -> String {
      var request = ForwardRequest(tokens: [1, 2, 3, 4], base: run)
      request.extendsBase = true
      change(&request)
      let error = #expect(throws: UserError.self) { try engine.forward(request) }
      return try #require(error).description
    }
    #expect(try error { $0.tokens = [1, 2, 3] }.contains("tokens behind it"))
    #expect(try error { $0.tokens = [1, 2, 5, 4] }.contains("tokens behind it"))
    #expect(try error { $0.logits.positions = [2] }.contains("position 2"))
    #expect(
      try error { $0.recordings = [Recording(HookPoint(.embedding))] }.contains("position 0"))
  }

  @Test func samplingFollowsTheSoftmax() {
    let logits: [Float] = [0, 1, 2, -40]
    let temperature = 0.5
    let weights = logits.map { exp(Double($0) / temperature) }
    let total = weights.reduce(0, +)
    var sampling = Sampling.temperature(temperature, seed: 3)
    var again = Sampling.temperature(temperature, seed: 3)
    let count = 20_000
    var found = [0, 0, 0, 0]
    for _ in 0..<count {
      let token = sampling.choose(logits)
      #expect(again.choose(logits) == token)
      found[token] += 1
    }
    for (token, weight) in weights.enumerated() {
      let share = weight / total
      let error = (share * (1 - share) / Double(count)).squareRoot()
      #expect(abs(Double(found[token]) / Double(count) - share) <= 4.5 * error)
    }
    var greedy = Sampling.greedy
    #expect(greedy.choose([1, 3, 3, 2]) == 1)
  }
}
