import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Changes of scores act in the request's order, before the softmax; edits of the pattern behind it.
@Suite struct ScoreOrderTests {
  static let tokens = RandomVariants.recipient
  static let query = 6
  static let key = 2

  private struct Rows {
    let scores: [Float]
    let pattern: [Float]
    let logits: [Float]
  }

  /// Scores and weights of one head of one query, and the logits.
  private func run(_ interventions: [Intervention], based: Bool = false) throws -> Rows {
    let engine = try Golden.engine()
    let hooks = [HookPoint(.scores, layer: 4), HookPoint(.pattern, layer: 4)]
    let result = try engine.forward(
      ForwardRequest(
        tokens: Self.tokens, base: based ? try engine.record([Self.tokens])[0] : nil,
        interventions: interventions,
        recordings: hooks.map { Recording($0, positions: [Self.query]) },
        logits: LogitRequest(tokens: .all)))
    let rows = result.recorded.map { Array($0.values.prefix(Self.tokens.count)) }
    return Rows(scores: rows[0], pattern: rows[1], logits: result.allLogits)
  }

  private let knockout = Intervention.knockout(
    EdgeKnockout(layers: 4...4, queries: [query], keys: [key]))

  private func edit(_ site: HookPoint.Site, _ change: ActivationEdit.Change) -> Intervention {
    .edit(ActivationEdit(at: HookPoint(site, layer: 4), positions: [Self.query], change: change))
  }

  private func softmax(_ scores: [Float]) -> [Float] {
    let weights = scores.map { exp(Double($0)) }
    return weights.map { Float($0 / weights.reduce(0, +)) }
  }

  @Test(arguments: [false, true])
  func aLaterEditUndoesAKnockout(based: Bool) throws {
    let undone = try run([knockout, edit(.scores, .zero)], based: based)
    #expect(undone.scores.prefix(Self.query + 1).allSatisfy { $0 == 0 })
    #expect(
      largestDifference(
        Array(undone.pattern.prefix(7)), Array(repeating: Float(1) / 7, count: 7)) < 1e-6)
    let alone = try run([edit(.scores, .zero)], based: based)
    #expect(largestDifference(undone.logits, alone.logits) < 1e-4)
  }

  @Test(arguments: [false, true])
  func aLaterKnockoutStays(based: Bool) throws {
    let rows = try run([edit(.scores, .zero), knockout], based: based)
    for key in 0...Self.query {
      #expect(rows.scores[key] == (key == Self.key ? -.infinity : 0))
      #expect(abs(rows.pattern[key] - (key == Self.key ? 0 : Float(1) / 6)) < 1e-6)
    }
  }

  @Test func aKnockedOutScoreStaysSoUnderAdditionAndScaling() throws {
    let clean = try run([])
    let vector = (0..<9 * Self.tokens.count).map { Float($0 % 3) }
    let rows = try run([
      knockout, edit(.scores, .add(RowSource(vector, count: 1))), edit(.scores, .scale(2)),
    ])
    let expected = (0..<Self.tokens.count).map { key in
      key == Self.key || key > Self.query ? -.infinity : 2 * (clean.scores[key] + vector[key])
    }
    #expect(rows.scores[Self.key] == -.infinity)
    #expect(largestDifference(rows.pattern, softmax(expected)) < 1e-5)
  }

  @Test func theOrderOfEditsAtOtherPlacesDoesNotMatter() throws {
    let pattern = edit(.pattern, .scale(3))
    let (a, b) = (try run([pattern, knockout]), try run([knockout, pattern]))
    #expect(a.pattern == b.pattern && a.logits == b.logits)
    #expect(a.pattern[Self.key] == 0)
    #expect(abs(a.pattern.reduce(0, +) - 3) < 1e-5)
  }

  @Test func weightOnKeysThatAQueryDoesNotSeeIsNamed() throws {
    func error(_ change: ActivationEdit.Change, _ site: HookPoint.Site = .pattern) throws -> String
    {
      let error = #expect(throws: UserError.self) { try run([edit(site, change)]) }
      return try #require(error).description
    }
    let width = 9 * Self.tokens.count
    var row = [Float](repeating: 0, count: width)
    row[3 * Self.tokens.count + 8] = 0.5
    for change in [
      ActivationEdit.Change.replace(RowSource(row, count: 1)), .add(RowSource(row, count: 1)),
    ] {
      let line = try error(change)
      #expect(line.contains("blocks.4.attn.hook_pattern") && line.contains("key 8"))
      #expect(line.contains("query 6"))
    }
    #expect(try error(.replace(RowSource(row, count: 1)), .scores).contains("key 7"))
    // Of the heads that are edited, none gives weight there.
    _ = try run([
      .edit(
        ActivationEdit(
          at: HookPoint(.pattern, layer: 4), positions: [Self.query], heads: [2],
          change: .replace(RowSource(row, count: 1))))
    ])
  }
}
