import Foundation
import TensorCore
import Testing

@testable import Transformer

@Suite struct LensTests {
  // MARK: - Logit lens

  /// Norm and unembedding in double precision, from the recorded residual streams.
  @Test(arguments: TinyModel.allCases)
  func cellsAreTheUnembeddedStreams(tiny: TinyModel) throws {
    let model = try tiny.load()
    let engine = Engine(model: model, threads: 2)
    let architecture = model.architecture
    let run = try engine.record([try tiny.tokens()])[0]
    let positions = [0, 9, 19]
    let lens = try LogitLens(of: run, positions: positions, answer: 42, engine: engine)
    #expect(lens.cells.count == architecture.layers && lens.cells[0].count == 3)
    for layer in 0..<architecture.layers {
      let rows = run.residualPost(layer: layer, positions: positions)
      for index in positions.indices {
        let x = rows.row(index).map(Double.init)
        let count = Double(x.count)
        let mean = architecture.finalNorm.kind == .layer ? x.reduce(0, +) / count : 0
        let square = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let scale = (square + Double(architecture.finalNorm.epsilon)).squareRoot()
        let norm = model.weights.finalNorm
        let normed = x.indices.map {
          (x[$0] - mean) / scale * Double(norm.weight[$0]) + Double(norm.bias?[$0] ?? 0)
        }
        let logits = (0..<architecture.vocabulary).map { token -> Double in
          let product = zip(unembedding(model, token), normed).reduce(0) { $0 + $1.0 * $1.1 }
          let logit =
            (product + Double(model.weights.unembedding.bias?[token] ?? 0))
            * Double(architecture.logitScale)
          guard let cap = architecture.logitSoftCap.map(Double.init) else { return logit }
          return cap * tanh(logit / cap)
        }
        let cell = lens.cells[layer][index]
        let best = logits.indices.max { logits[$0] < logits[$1] }
        #expect(cell.top.token == best && cell.top.rank == 1)
        let answer = try #require(cell.answer)
        #expect(abs(Double(answer.logit) - logits[42]) < 1e-4)
        let total = logits.map(exp).reduce(0, +)
        #expect(abs(answer.probability - exp(logits[42]) / total) < 1e-5)
        #expect(answer.rank == 1 + logits.count { $0 > logits[42] })
      }
    }
  }

  private func unembedding(_ model: LanguageModel, _ token: Int) -> [Double] {
    var row = [Float](repeating: 0, count: model.architecture.width)
    row.withUnsafeMutableBufferPointer {
      guard let start = $0.baseAddress else { return }
      model.weights.unembedding.unpack(token..<token + 1, into: start)
    }
    return row.map(Double.init)
  }

  @Test func theLastLayerIsTheModel() throws {
    let engine = try Golden.engine()
    let tokens = RandomVariants.recipient
    let run = try engine.record([tokens])[0]
    let lens = try LogitLens(of: run, positions: [9], answer: 7, engine: engine)
    let row = try engine.forward(
      ForwardRequest(tokens: tokens, logits: LogitRequest(tokens: .all))
    ).allLogits
    #expect(lens.cells.count == 30)
    #expect(abs(try #require(lens.cells[29][0].answer).logit - row[7]) < 1e-3)
    #expect(lens.cells[29][0].top.token == row.indices.max { row[$0] < row[$1] })
  }

  // MARK: - Attribution

  private func logits(_ engine: Engine, _ tokens: [Int], _ position: Int) throws -> [Double] {
    let cap = engine.model.architecture.logitSoftCap.map(Double.init)
    return try engine.forward(
      ForwardRequest(
        tokens: tokens, logits: LogitRequest(positions: [position], tokens: .all))
    ).allLogits.map { logit in
      // The parts add up to what the cap is taken of.
      cap.map { $0 * atanh(Double(logit) / $0) } ?? Double(logit)
    }
  }

  @Test(arguments: TinyModel.allCases)
  func contributionsAddUpToTheLogits(tiny: TinyModel) throws {
    let engine = Engine(model: try tiny.load(), threads: 2)
    let tokens = try tiny.tokens()
    let run = try engine.record([tokens])[0]
    for position in [7, 19] {
      let expected = try logits(engine, tokens, position)
      let alone = try LogitAttribution(of: run, position: position, answer: 11, engine: engine)
      #expect(abs(alone.sum - expected[11]) < 1e-3)
      let both = try LogitAttribution(
        of: run, position: position, answer: 11, versus: 50, engine: engine)
      #expect(abs(both.sum - (expected[11] - expected[50])) < 1e-3)
    }
  }

  @Test func contributionsOfSmolLM2AddUp() throws {
    let engine = try Golden.engine()
    let tokens = RandomVariants.recipient
    let run = try engine.record([tokens])[0]
    let expected = try logits(engine, tokens, 9)
    let parts = try LogitAttribution(
      of: run, position: 9, answer: 1165, versus: 4011, engine: engine)
    #expect(abs(parts.sum - (expected[1165] - expected[4011])) < 1e-3)
    #expect(parts.contributions.count == 1 + 30 * 10)
  }

  /// With the final norm's scale held, zeroing what reaches the logits only directly takes away its
  /// contribution: the last MLP, and where blocks are parallel the last heads.
  @Test(arguments: TinyModel.allCases)
  func aContributionIsWhatIsLostWithoutItsPart(tiny: TinyModel) throws {
    let engine = Engine(model: try tiny.load(), threads: 2)
    let architecture = engine.model.architecture
    let tokens = try tiny.tokens()
    let (last, position) = (architecture.layers - 1, tokens.count - 1)
    let run = try engine.record([tokens])[0]
    let parts = try LogitAttribution(of: run, position: position, answer: 11, engine: engine)
    let scale = try engine.forward(
      ForwardRequest(
        tokens: tokens, recordings: [Recording(HookPoint(.finalNormScale), positions: [position])])
    ).recorded[0]
    var lost: [(LogitAttribution.Part, ActivationEdit)] = [
      (
        .mlp(layer: last),
        ActivationEdit(at: HookPoint(.mlpOutput, layer: last), positions: [position], change: .zero)
      )
    ]
    if architecture.blocks[last].order != .sequential {
      lost.append(
        (
          .head(layer: last, head: 1),
          ActivationEdit(
            at: HookPoint(.headResult, layer: last), positions: [position], heads: [1],
            change: .zero)
        ))
    }
    let cap = architecture.logitSoftCap.map(Double.init)
    for (part, edit) in lost {
      let changed = try engine.forward(
        ForwardRequest(
          tokens: tokens,
          interventions: [
            .edit(edit),
            .edit(
              ActivationEdit(
                at: HookPoint(.finalNormScale), positions: [position],
                change: .replace(RowSource(scale)))),
          ], logits: LogitRequest(tokens: .some([11])))
      ).allLogits[0]
      let plain = cap.map { $0 * atanh(Double(changed) / $0) } ?? Double(changed)
      let value = try #require(parts.contributions.first { $0.part == part }).value
      #expect(abs(parts.sum - plain - value) < 1e-3, "\(part)")
      #expect(abs(value) > 1e-3)
    }
  }
}
