import TensorCore
import Testing

@testable import Transformer

/// Requests that begin alike share rows, and give what each gives alone.
@Suite struct SharedBeginningsTests {
  private static let layers = 30

  private static func beginnings(_ requests: [ForwardRequest]) -> SharedBeginnings {
    SharedBeginnings(
      requests, plans: requests.map { RowPlan($0, layers: layers) },
      regimes: requests.map { _ in 0 })
  }

  private static func edit(_ positions: [Int], _ rows: [[Float]]) -> Intervention {
    .edit(
      ActivationEdit(
        at: HookPoint(.residualPost, layer: 3), positions: positions,
        change: .replace(
          RowSource(Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])))))
  }

  @Test func promptsShareTheirCommonTokens() {
    let prompts = [[5, 6, 7, 8], [9, 6, 7], [5, 6, 1], [5, 6, 7, 2, 3]]
    let result = Self.beginnings(prompts.map { ForwardRequest(tokens: $0) })
    #expect(Set(result.order) == [0, 1, 2, 3])
    // Whatever the order, 5 6 is computed once and so is 5 6 7.
    #expect(result.shared.reduce(0, +) == 2 + 3)
    for (place, shared) in result.shared.enumerated() where shared > 0 {
      let (a, b) = (prompts[result.order[place - 1]], prompts[result.order[place]])
      #expect(a.prefix(shared) == b.prefix(shared))
    }
  }

  @Test func aPositionThatIsReadIsNotLeftToOthers() {
    let tokens = [5, 6, 7, 8]
    let whole = Self.beginnings([ForwardRequest(tokens: tokens), ForwardRequest(tokens: tokens)])
    #expect(whole.shared == [0, 3])
    let early = Self.beginnings([
      ForwardRequest(tokens: tokens, logits: LogitRequest(positions: [1, 3])),
      ForwardRequest(tokens: tokens, logits: LogitRequest(positions: [1, 3])),
    ])
    #expect(early.shared == [0, 1])
    let kept = Self.beginnings([
      ForwardRequest(tokens: tokens, keepsRun: true),
      ForwardRequest(tokens: tokens, keepsRun: true),
    ])
    #expect(kept.shared == [0, 0])
  }

  @Test func interventionsAreComparedByValue() throws {
    let engine = try Golden.engine()
    let tokens = RandomVariants.recipient
    let base = try engine.record([tokens])[0]
    let width = engine.model.architecture.width
    func row(_ value: Float) -> [Float] { Array(repeating: value, count: width) }
    func request(_ positions: [Int], _ values: [Float]) -> ForwardRequest {
      ForwardRequest(
        tokens: tokens, base: base, interventions: [Self.edit(positions, values.map(row))])
    }
    func shared(_ a: ForwardRequest, _ b: ForwardRequest) -> Int {
      Self.beginnings([a, b]).shared[1]
    }
    // Equal at 2, another value at 5: rows 2 to 4 are common.
    #expect(shared(request([2, 5], [1, 2]), request([2, 5], [1, 3])) == 5)
    #expect(shared(request([2, 5], [1, 2]), request([2], [1])) == 5)
    // Nothing changed before position 5: these rows are the base's and cost nothing.
    #expect(shared(request([5], [1]), request([6], [1])) == 0)
    #expect(shared(request([2, 5], [4, 2]), request([2, 5], [1, 2])) == 0)
    // Only one value among hundreds differs.
    var other = row(1)
    other[width - 2] = 1.5
    #expect(
      shared(
        ForwardRequest(
          tokens: tokens, base: base, interventions: [Self.edit([2, 5], [other, row(2)])]),
        request([2, 5], [1, 2])) == 0)
  }

  @Test func sharedRowsGiveWhatEachGivesAlone() throws {
    let engine = try Golden.engine()
    let tokens = RandomVariants.recipient
    let runs = try engine.record([tokens, RandomVariants.donor])
    var random = RandomStream(seed: 11)
    var requests: [ForwardRequest] = []
    for index in 0..<48 {
      // Subsets of one set of patches, at two layers, with and without a recorded run.
      let layer = index % 2 == 0 ? 4 : 17
      let count = 1 + random.integer(below: 5)
      let positions = random.sample(count, of: Array(1..<9)).sorted()
      let rows = runs[1].residualPost(layer: layer, positions: positions)
      var interventions: [Intervention] = [
        .edit(
          ActivationEdit(
            at: HookPoint(.residualPost, layer: layer), positions: positions,
            change: .replace(RowSource(rows))))
      ]
      if index % 5 == 0 {
        interventions.append(
          .knockout(EdgeKnockout(layers: 6...8, queries: [7, 8], keys: [2])))
      }
      if index % 7 == 0 {
        interventions.append(
          .edit(
            ActivationEdit(
              at: HookPoint(.key, layer: 9), positions: [3, 6], heads: [1], change: .zero)))
      }
      let ending = index % 3 == 0 ? [random.integer(below: 1000), 198] : []
      requests.append(
        ForwardRequest(
          tokens: tokens + ending, base: index % 4 < 2 ? runs[0] : nil,
          interventions: interventions,
          recordings: index % 6 == 0
            ? [Recording(HookPoint(.residualPost, layer: 20), positions: [9])] : [],
          logits: LogitRequest(tokens: .all)))
    }
    let beginnings = Self.beginnings(requests)
    #expect(beginnings.shared.reduce(0, +) > 90)
    let together = try engine.forward(requests)
    let narrow = Engine(model: engine.model, threads: 2, rowBudget: 40)
    let inPieces = try narrow.forward(requests)
    for (index, request) in requests.enumerated() {
      let alone = try engine.forward(request)
      for result in [together[index], inPieces[index]] {
        #expect(largestDifference(result.allLogits, alone.allLogits) < 1e-3, "\(index)")
        for (a, b) in zip(result.recorded, alone.recorded) {
          #expect(relativeError(a.values, b.values) < 1e-4, "\(index)")
        }
      }
    }
  }
}
