import TensorCore
import Testing

@testable import Transformer

/// A variant of a recorded run gives what the same request gives in full: what sweeps rest on.
@Suite struct InterventionInvariantTests {
  typealias Kind = RandomVariants.Kind
  static let tokens = RandomVariants.recipient

  private static func request(
    _ interventions: [Intervention], tokens: [Int] = tokens, base: RecordedRun? = nil,
    recordings: [Recording] = []
  ) -> ForwardRequest {
    ForwardRequest(
      tokens: tokens, base: base, interventions: interventions, recordings: recordings,
      logits: LogitRequest(positions: [tokens.count / 2, tokens.count - 1], tokens: .all))
  }

  private static func expectSame(
    _ a: ForwardResult, _ b: ForwardResult, within tolerance: Float, _ name: String
  ) {
    #expect(a.logits.map(\.position) == b.logits.map(\.position))
    let difference = largestDifference(a.allLogits, b.allLogits)
    #expect(difference < tolerance, "\(name): \(difference)")
  }

  @Test func everySiteAndKindGivesTheSameWithABaseAsInFull() throws {
    let engine = try Golden.engine()
    var random = RandomVariants(engine.model.architecture, seed: 1)
    let choices = HookPoint.all(layer: 0).map(\.site).flatMap { site in
      Kind.allCases.map { random.choice(site, $0) }
    }
    var variants = try RandomVariants.interventions(choices, engine: engine)
    for _ in 0..<8 { variants.append(random.knockout()) }
    let names = choices.map(\.name) + variants[choices.count...].map { "\($0)" }
    let base = try engine.record([Self.tokens])[0]
    let results = try engine.forward(
      variants.map { Self.request([$0]) } + variants.map { Self.request([$0], base: base) }
        + [Self.request([])])
    let clean = try #require(results.last)
    var changed = 0
    for index in variants.indices {
      Self.expectSame(
        results[index], results[variants.count + index], within: 1e-3, names[index])
      if largestDifference(results[index].allLogits, clean.allLogits) > 1e-2 { changed += 1 }
    }
    // Most edits must do something, or the comparison would say nothing.
    #expect(changed > variants.count * 2 / 3)
  }

  /// Two or three random interventions each, at different sites.
  private static func combinations(
    _ count: Int, seed: UInt64, engine: Engine, length: Int = tokens.count
  ) throws -> [[Intervention]] {
    var random = RandomVariants(engine.model.architecture, seed: seed)
    let sites = HookPoint.all(layer: 0).map(\.site)
    let choices = (0..<count * 2).map { _ in
      random.choice(
        sites[random.integer(below: sites.count)],
        Kind.allCases[random.integer(below: Kind.allCases.count)], length: length)
    }
    let edits = try RandomVariants.interventions(
      choices, engine: engine, tokens: Array(RandomVariants.donor.prefix(length)))
    return (0..<count).map { index in
      [edits[2 * index], edits[2 * index + 1]]
        + (index % 3 == 0 ? [random.knockout(length: length)] : [])
    }
  }

  @Test func combinationsGiveTheSameWithABaseAsInFull() throws {
    let engine = try Golden.engine()
    let variants = try Self.combinations(24, seed: 2, engine: engine)
    let base = try engine.record([Self.tokens])[0]
    let results = try engine.forward(
      variants.map { Self.request($0) } + variants.map { Self.request($0, base: base) })
    for index in variants.indices {
      Self.expectSame(
        results[index], results[variants.count + index], within: 1e-3, "\(variants[index])")
    }
  }

  @Test func aBaseOfAnotherSequenceGivesTheSameAsNone() throws {
    let engine = try Golden.engine()
    let donor = RandomVariants.donor
    // Another ending, a longer one, shorter ones, and nothing in common.
    let bases = try engine.record([
      donor, Self.tokens + [4011, 198], Array(Self.tokens.prefix(6)), Array(Self.tokens.prefix(1)),
      Array(donor[4...]),
    ])
    let variants = [[]] + (try Self.combinations(8, seed: 3, engine: engine))
    let results = try engine.forward(
      ([nil] + bases.map(Optional.some)).flatMap { base in
        variants.map { Self.request($0, base: base) }
      })
    for (index, result) in results.enumerated() {
      let variant = index % variants.count
      Self.expectSame(result, results[variant], within: 1e-3, "\(variants[variant])")
    }
  }

  @Test func recordingsWithABaseAreThoseWithout() throws {
    let engine = try Golden.engine()
    var random = RandomVariants(engine.model.architecture, seed: 4)
    let base = try engine.record([Self.tokens])[0]
    let variants = [[]] + (try Self.combinations(7, seed: 5, engine: engine))
    let recordings = variants.map { _ in
      (0..<4).flatMap { _ in HookPoint.all(layer: random.integer(below: 30)) }.map {
        Recording(
          $0, positions: random.integer(below: 2) == 0 ? nil : random.some(of: 10, atMost: 3))
      }
    }
    let results = try engine.forward(
      [nil, base].flatMap { base in
        zip(variants, recordings).map { Self.request($0, base: base, recordings: $1) }
      })
    for index in variants.indices {
      let other = results[variants.count + index]
      Self.expectSame(results[index], other, within: 1e-3, "\(variants[index])")
      for (number, recording) in recordings[index].enumerated() {
        let a = results[index].recorded[number]
        let b = other.recorded[number]
        #expect(a.shape == b.shape)
        if recording.hook.site == .scores {
          #expect(zip(a.values, b.values).allSatisfy { $0 == $1 || abs($0 - $1) < 1e-3 })
        } else {
          #expect(relativeError(a.values, b.values) < 1e-4, "\(recording.hook)")
        }
      }
    }
  }

  @Test func requestsAloneGiveWhatTheyGiveInABatch() throws {
    let engine = try Golden.engine()
    let base = try engine.record([Self.tokens])[0]
    let requests = try Self.combinations(32, seed: 6, engine: engine).enumerated().map {
      Self.request($1, base: $0 % 4 == 0 ? nil : base)
    }
    let results = try engine.forward(requests)
    var differences: [Float] = []
    for index in stride(from: 0, to: requests.count, by: 4) {
      let alone = try engine.forward(requests[index])
      // Tiles are cut otherwise, and some edits magnify the rounding.
      Self.expectSame(alone, results[index], within: 1e-3, "\(requests[index].interventions)")
      differences.append(largestDifference(alone.allLogits, results[index].allLogits))
    }
    #expect(differences.sorted()[differences.count / 2] < 1e-4, "\(differences)")
  }

  @Test func theRowBudgetDoesNotChangeTheResult() throws {
    let engine = try Golden.engine()
    let base = try engine.record([Self.tokens])[0]
    let requests = try Self.combinations(10, seed: 8, engine: engine).enumerated().map {
      Self.request($1, base: $0 % 3 == 0 ? nil : base)
    }
    let results = try engine.forward(requests)
    for budget in [1, 50] {
      var progress: [Int] = []
      let others = try Golden.engine(rowBudget: budget).forward(requests) { progress.append($0) }
      for (index, other) in others.enumerated() {
        Self.expectSame(other, results[index], within: 1e-4, "budget \(budget), \(index)")
      }
      #expect(progress.last == requests.count)
      #expect(progress.count == requests.count || budget > 1)
    }
  }

  @Test func aKeptRunHoldsTheEditedActivations() throws {
    let engine = try Golden.engine()
    let layers = [0, 12, 29]
    let interventions = try Self.combinations(1, seed: 9, engine: engine)[0]
    var request = Self.request(
      interventions, recordings: layers.map { Recording(HookPoint(.residualPost, layer: $0)) })
    request.keepsRun = true
    let result = try engine.forward(request)
    let run = try #require(result.run)
    for (index, layer) in layers.enumerated() {
      let kept = run.residualPost(layer: layer, positions: Array(Self.tokens.indices))
      #expect(kept.values == result.recorded[index].values)
    }
    // Nothing is left to compute, so the kept run's logits are those of the edited run.
    let again = try engine.forward(Self.request([], base: run))
    Self.expectSame(again, result, within: 1e-4, "kept run")
  }

  @Test func editsThatChangeNothingChangeNothing() throws {
    let engine = try Golden.engine()
    let hooks = [0, 17, 29].flatMap { HookPoint.all(layer: $0) }
    let base = try engine.record([Self.tokens])[0]
    let clean = try engine.forward(
      Self.request([], recordings: hooks.map { Recording($0) }))
    let positions = [2, 5, 9]
    let identities = zip(hooks, clean.recorded).flatMap { hook, tensor -> [Intervention] in
      let source = RowSource(RowSource(tensor).tensor, rows: positions)
      let zeros = Tensor(zeros: [1, source.tensor.columns])
      let changes: [ActivationEdit.Change] = [
        .replace(source), .scale(1), .add(RowSource(zeros, rows: [0, 0, 0])),
      ]
      return changes.map { .edit(ActivationEdit(at: hook, positions: positions, change: $0)) }
    }
    let requests = identities.enumerated().map {
      Self.request([$1], base: $0 % 2 == 0 ? base : nil)
    }
    for (index, result) in try engine.forward(requests).enumerated() {
      Self.expectSame(result, clean, within: 1e-4, "\(hooks[index / 3])")
    }
  }

  @Test func anEditIsTheSameUnderEachOfItsNames() throws {
    let engine = try Golden.engine()
    let base = try engine.record([Self.tokens])[0]
    let width = engine.model.architecture.width
    let vector = (0..<width).map { Float($0 % 7) - 3 }
    func add(_ site: HookPoint.Site, _ layer: Int) -> Intervention {
      .edit(
        ActivationEdit(
          at: HookPoint(site, layer: layer), positions: [3, 7],
          change: .add(RowSource(vector, count: 2))))
    }
    func zero(_ site: HookPoint.Site, heads: [Int]? = nil) -> Intervention {
      .edit(
        ActivationEdit(
          at: HookPoint(site, layer: 6), positions: [1, 8], heads: heads, change: .zero))
    }
    let pairs = [
      (add(.residualPost, 4), add(.residualPre, 5)), (add(.embedding, 0), add(.residualPre, 0)),
      (add(.attentionOutput, 4), add(.residualMiddle, 4)),
      (add(.mlpOutput, 4), add(.residualPost, 4)),
      // There is no bias, so that no head is no attention.
      (zero(.headOutput), zero(.attentionOutput)),
      (zero(.headOutput, heads: Array(0..<9)), zero(.attentionOutput)),
      (zero(.pattern), zero(.headOutput)), (zero(.hidden), zero(.mlpOutput)),
    ]
    let results = try engine.forward(
      pairs.flatMap { [Self.request([$0], base: base), Self.request([$1], base: base)] })
    for (index, pair) in pairs.enumerated() {
      Self.expectSame(results[2 * index], results[2 * index + 1], within: 1e-4, "\(pair)")
    }
  }
}
