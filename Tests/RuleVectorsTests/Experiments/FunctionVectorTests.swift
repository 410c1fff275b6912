import Reports
import TensorCore
import Testing

@testable import RuleVectors
@testable import Transformer

@Suite struct FunctionVectorTests {
  @Test func rowsComeBack() throws {
    let outcome = RowFixtures.outcome(effect: 0.25, gap: 2)
    for row in [
      FunctionVectorRow(
        recipient: .shuffledLabels, form: .head, isFlipped: true, layer: 3, head: 2,
        outcome: outcome),
      FunctionVectorRow(
        recipient: .zeroShot, form: .function, isFlipped: false, layer: 0, outcome: outcome),
      FunctionVectorRow(
        recipient: .dummyDemonstrations, form: nil, isFlipped: false, outcome: outcome),
      FunctionVectorRow(recipient: nil, form: nil, isFlipped: true, outcome: outcome),
    ] {
      let stored = RowFixtures.stored(FunctionVector.self, probe: "p", episode: 2, [row])[0]
      #expect(try Record<FunctionVectorRow>(RowFixtures.readAgain(stored)).row == row)
    }
  }

  /// Ten of GPT-J's 28 layers of 16 heads, the third layer of nine.
  @Test func defaultsGrowWithTheModel() throws {
    let kind = try experiment(FunctionVector.self, "")
    #expect([448, 270, 18, 1].map { kind.headCount(of: $0) } == [10, 6, 1, 1])
    #expect(try experiment(FunctionVector.self, #""heads": 20"#).headCount(of: 18) == 18)
    #expect([28, 30, 3, 1].map(FunctionVector.third) == [9, 10, 1, 0])
  }

  @Test func shuffledLabelsAreThoseOfTheTask() throws {
    let task = try Fixtures.read(TinyLaboratory.categorization)
    let episode = try EpisodeSampler(task: task).episode(
      index: 3, split: .heldOut, demonstrations: 8, seed: 1)
    let shuffled = (0..<20).map { episode.shuffledLabels(draw: $0) }
    for other in shuffled {
      #expect(other.demonstrations.map(\.input) == episode.demonstrations.map(\.input))
      #expect(
        other.demonstrations.map(\.answer).sorted()
          == episode.demonstrations.map(\.answer).sorted())
      #expect(other.query == episode.query && other.right == episode.right)
    }
    #expect(Set(shuffled.map { $0.demonstrations.map(\.answer) }.map(\.description)).count > 10)
    #expect(shuffled[4] == episode.shuffledLabels(draw: 4))
  }

  // MARK: - Rows

  private struct World {
    let laboratory: Laboratory
    let task: RuleTask
    let kind: FunctionVector
    let drawn: FunctionVector.Drawn

    init(_ weights: [String: [Float]] = [:], episode: Int = 0) throws {
      laboratory = try TinyLaboratory.laboratory(changing: { $1 = weights[$0] ?? $1 })
      task = try Fixtures.read(TinyLaboratory.categorization)
      kind = try experiment(
        FunctionVector.self, #""donors": 4, "recipients": ["zero-shot", "shuffled-labels"]"#)
      drawn = try kind.draw(laboratory, task, episode, .heldOut, 4, kind.recipients)
    }

    /// Mean over whole runs, one by one, in double precision.
    func mean(_ rule: Int, _ hook: HookPoint) throws -> [Double] {
      let rows = try drawn.rule.donors[rule].map { episode -> [Double] in
        let tokens = try laboratory.prompt(episode, task).tokens
        return try laboratory.engine.forward(
          ForwardRequest(tokens: tokens, recordings: [Recording(hook)])
        ).recorded[0].row(tokens.count - 1).map(Double.init)
      }
      return rows[0].indices.map { column in
        rows.reduce(0) { $0 + $1[column] } / Double(rows.count)
      }
    }

    /// A whole run of a recipient with one edit at its last position.
    func run(
      _ recipient: Int, _ hook: HookPoint, _ values: [Double], heads: [Int]? = nil, adds: Bool
    ) throws -> RuleVectors.Measurement {
      let prompt = try laboratory.prompt(drawn.recipients[recipient], task)
      let contrast = try prompt.contrast(
        right: drawn.episode.right, wrong: drawn.episode.wrong)
      let source = RowSource(values.map { Float($0) }, count: 1)
      let result = try laboratory.engine.forward(
        laboratory.request(
          prompt.tokens,
          interventions: [
            .edit(
              ActivationEdit(
                at: hook, positions: [prompt.lastPosition], heads: heads,
                change: adds ? .add(source) : .replace(source)))
          ], contrast: contrast))
      return try laboratory.measure(result, contrast)
    }
  }

  @Test func headsAreReplacedByTheirMeans() throws {
    let world = try World()
    let drawn = try world.kind.draw(
      world.laboratory, world.task, 0, .heldOut, 4, [.shuffledLabels])
    let rows = try world.kind.headRows(world.laboratory, world.task, drawn)
    #expect(rows.count == 1 + 2 * 18)
    for (rule, layer, head) in [(0, 0, 5), (1, 1, 2), (0, 2, 0), (1, 2, 4)] {
      let row = try #require(
        rows.first { $0.isFlipped == (rule == 1) && $0.layer == layer && $0.head == head })
      let hook = HookPoint(.headOutput, layer: layer)
      let expected = try world.run(1, hook, world.mean(rule, hook), heads: [head], adds: false)
      #expect(abs(row.outcome.patched.probability - expected.probability) < 1e-6)
      #expect(abs(row.outcome.patched.logitDifference - expected.logitDifference) < 1e-5)
      #expect(row.outcome.patched.probability != rows[0].outcome.patched.probability)
    }
  }

  /// W_O times the mean outputs, from the weights as they are stored.
  @Test func theVectorIsTheSumOfWhatItsHeadsWrite() throws {
    let world = try World()
    let model = world.laboratory.engine.model
    let heads = [(0, 1), (2, 3), (2, 4)].map { FunctionVector.Head(layer: $0.0, head: $0.1) }
    let rows = try world.kind.vectorRows(
      world.laboratory, world.task, world.drawn, [0, 2], heads)
    #expect(rows.count == 2 * (1 + 2 * 2 * 2) + 2)
    for rule in 0..<2 {
      var vector = [Double](repeating: 0, count: 48)
      for head in heads {
        let outputs = try world.mean(rule, HookPoint(.headOutput, layer: head.layer))
        var weights = [Float](repeating: 0, count: 48 * 48)
        weights.withUnsafeMutableBufferPointer {
          model.weights.blocks[head.layer].output.unpack(0..<48, into: $0.baseAddress!)
        }
        for row in 0..<48 {
          for column in head.head * 8..<(head.head + 1) * 8 {
            vector[row] += Double(weights[row * 48 + column]) * outputs[column]
          }
        }
      }
      for (number, recipient) in world.kind.recipients.enumerated() {
        for layer in [0, 2] {
          let hook = HookPoint(.residualPost, layer: layer)
          for form in [FunctionVector.Form.function, .mean] {
            let values = form == .function ? vector : try world.mean(rule, hook)
            let expected = try world.run(number, hook, values, adds: form == .function)
            let row = try #require(
              rows.first {
                $0.recipient == recipient && $0.form == form && $0.layer == layer
                  && $0.isFlipped == (rule == 1)
              })
            #expect(
              abs(row.outcome.patched.logitDifference - expected.logitDifference) < 2e-5,
              "\(recipient) \(form) \(layer)")
          }
        }
      }
    }
  }

  /// In a model in which one head alone writes, all others have no effect, and all heads together are
  /// that head.
  @Test func theOnlyHeadThatWritesIsFound() throws {
    var weights: [String: [Float]] = [:]
    let model = try TinyLaboratory.model()
    for layer in 0..<3 {
      var values = [Float](repeating: 0, count: 48 * 48)
      values.withUnsafeMutableBufferPointer {
        model.weights.blocks[layer].output.unpack(0..<48, into: $0.baseAddress!)
      }
      for index in values.indices where layer != 1 || index % 48 / 8 != 4 { values[index] = 0 }
      weights["model.layers.\(layer).self_attn.o_proj.weight"] = values
    }
    let world = try World(weights)
    let drawn = try world.kind.draw(
      world.laboratory, world.task, 0, .heldOut, 4, [.shuffledLabels])
    let rows = try world.kind.headRows(world.laboratory, world.task, drawn)
    for row in rows.dropFirst() {
      let gain = abs(
        row.outcome.patched.probability - rows[0].outcome.patched.probability)
      #expect(row.layer == 1 && row.head == 4 ? gain > 1e-6 : gain < 1e-8)
    }
    let found = try #require(
      FunctionVector.strongest(18, in: rows).firstIndex { $0.layer == 1 && $0.head == 4 })
    #expect(found == 0 || found == 17)
    let only = [FunctionVector.Head(layer: 1, head: 4)]
    let every = (0..<3).flatMap { layer in
      (0..<6).map { FunctionVector.Head(layer: layer, head: $0) }
    }
    func effects(_ heads: [FunctionVector.Head]) throws -> [Float] {
      try world.kind.vectorRows(world.laboratory, world.task, world.drawn, [1], heads)
        .map(\.outcome.patched.logitDifference)
    }
    for (a, b) in zip(try effects(only), try effects(every)) { #expect(abs(a - b) < 1e-6) }
  }

  /// Where the last token copies the label of its own class, what it writes depends on the query: the
  /// mean over queries of both classes is nothing, though the model does the task.
  @Test func aRuleThatIsReadByTheQueryHasNoFunctionVector() throws {
    let weights = try WiredModel.matching.weights()
    for episode in 0..<4 {
      let world = try World(weights, episode: episode)
      let every = (0..<3).flatMap { layer in
        (0..<6).map { FunctionVector.Head(layer: layer, head: $0) }
      }
      let rows = try world.kind.vectorRows(
        world.laboratory, world.task, world.drawn, [0, 1, 2], every)
      for row in rows where row.form == .function && !row.isFlipped {
        let flipped = try #require(
          rows.first {
            $0.form == .function && $0.isFlipped && $0.layer == row.layer
              && $0.recipient == row.recipient
          })
        var outcome = row.outcome
        outcome.flipped = Outcome.Counterpart(
          patched: flipped.outcome.patched.logitDifference, donor: flipped.outcome.donor)
        #expect(outcome.gap > 1 && abs(outcome.effect / outcome.gap) < 0.05)
      }
    }
  }

  @Test func headsOfTheLargestMeanEffect() {
    func row(_ layer: Int, _ head: Int, _ isFlipped: Bool, _ probability: Float)
      -> FunctionVectorRow
    {
      var outcome = RowFixtures.outcome(effect: 0, gap: 1)
      outcome.patched.probability = probability
      return FunctionVectorRow(
        recipient: .shuffledLabels, form: .head, isFlipped: isFlipped, layer: layer, head: head,
        outcome: outcome)
    }
    let rows = [
      row(0, 0, false, 0.9), row(0, 0, true, 0.9), row(0, 1, false, 0.5), row(0, 1, true, 0.25),
      row(1, 0, false, 0.5), row(1, 0, true, 0.25), row(1, 1, false, 0.5), row(1, 1, true, 0.125),
    ]
    #expect(
      FunctionVector.strongest(3, in: rows).map { [$0.layer, $0.head] } == [
        [1, 1], [0, 1], [1, 0],
      ])
  }

  // MARK: - From units to sentences

  @Test func unitsRunAndSpeak() throws {
    let laboratory = try TinyLaboratory.laboratory()
    let probe = try RowFixtures.probe(
      "p",
      #""experiment": "function-vector", "donors": 2, "development": 2, "layers": [0, 2], "heads": 2"#
    )
    let plan = try RunPlan([probe], TinyLaboratory.setting(laboratory))
    #expect(plan.units.count == 2 + 2 + 2)
    try plan.check(laboratory)
    var rows: [StoredRow] = []
    let runner = Runner(plan: plan, laboratory: laboratory, model: "tiny", verifications: 6)
    try runner(known: [], append: { rows += $0 }, watch: { _ in })
    #expect(laboratory.verified.variants > 0 && laboratory.verified.largestDeviation < 1e-4)
    let section = try #require(
      try probe.section(of: rows, task: "small", model: "tiny", seed: 0))
    #expect(section.claims.map(\.name) == ["p.little.zero-shot", "p.little.shuffled-labels"])
    // Without a control nothing is counted for the paper's claim.
    #expect(section.claims.allSatisfy { $0.paperClaim == nil })
    #expect(section.summary.map(\.key) == ["results", "heads"])
    // Layer 1 is a third up.
    let layers = Set(
      try rows.map { try Record<FunctionVectorRow>($0).row }
        .filter { $0.form == .function }.compactMap(\.layer))
    #expect(layers == [0, 1, 2])
  }
}
