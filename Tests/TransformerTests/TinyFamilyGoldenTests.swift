import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Every family through the one forward pass against transformers' numbers: full runs, runs that
/// reuse a recorded one, and the meaning of the hook points.
@Suite struct TinyFamilyGoldenTests {
  /// The wrong GELU moves gpt_neox by 6e-4; do not loosen.
  static let tolerance: Float = 2e-4

  @Test func everyFamilyOfFoldersHasGoldenNumbers() throws {
    let tested = Set(try TinyModel.allCases.map { try $0.load().architecture.family })
    for family in Family.all where family.huggingFace != nil {
      #expect(tested.contains(family.name), "\(family.name)")
    }
  }

  @Test(arguments: TinyModel.allCases.flatMap { tiny in tiny.spellings.map { (tiny, $0) } })
  func fullRunGivesTheReferenceNumbers(tiny: TinyModel, spelling: String) throws {
    let model = try tiny.load(config: spelling)
    #expect(model.unusedTensors.isEmpty || tiny.name == "gemma3_multimodal")
    let layers = model.architecture.layers
    let golden = try tiny.golden()
    let tokens = try tiny.tokens()
    let result = try Engine(model: model, threads: 2)
      .forward(.everything(tokens, layers: layers))
    let embedding = largestDifference(result.recorded[0].values, try golden.floats("embed"))
    let residual = largestDifference(
      result.recorded[1...layers].flatMap(\.values), try golden.floats("resid_post"))
    let norm = largestDifference(
      weighted(result.recorded[layers + 1].values, model.weights.finalNorm),
      try golden.floats("final_norm"))
    let logits = largestDifference(
      result.logits.flatMap(\.logits), try golden.floats("logits"))
    #expect(embedding < 1e-5)
    #expect(residual < Self.tolerance)
    #expect(norm < Self.tolerance)
    #expect(logits < Self.tolerance)
    #expect(model.architecture == (try tiny.load()).architecture)
  }

  @Test(arguments: TinyModel.allCases)
  func fewLogitsAreTheSameAsAll(tiny: TinyModel) throws {
    let engine = Engine(model: try tiny.load(), threads: 2)
    let vocabulary = engine.model.architecture.vocabulary
    let ids = [vocabulary - 1, 0, 17, 18, 50, 3, 9, 11, 42, 5]
    let result = try engine.forward(
      ForwardRequest(tokens: try tiny.tokens(), logits: LogitRequest(tokens: .some(ids))))
    let all = try tiny.golden().floats("logits").suffix(vocabulary)
    #expect(
      largestDifference(result.logits[0].logits, ids.map { all[all.startIndex + $0] })
        < Self.tolerance)
  }

  /// transformers' numbers with a head's output zeroed and with a vector added to the stream.
  @Test(arguments: TinyModel.allCases)
  func interventionsGiveTheReferenceNumbers(tiny: TinyModel) throws {
    let model = try tiny.load()
    let tokens = try tiny.tokens()
    let own = tiny.folder + "/interventions.safetensors"
    let file =
      FileManager.default.fileExists(atPath: own) ? try SafetensorsFile(own) : try tiny.golden()
    let everywhere = Array(tokens.indices)
    let cases: [(String, ActivationEdit)] = [
      (
        "z_zero",
        ActivationEdit(
          at: HookPoint(.headOutput, layer: 1), positions: everywhere, heads: [1], change: .zero)
      ),
      (
        "resid_add",
        ActivationEdit(
          at: HookPoint(.residualPost, layer: 0), positions: [3],
          change: .add(RowSource(try file.floats("resid_add.vector"), count: 1)))
      ),
    ]
    for (name, edit) in cases {
      let result = try Engine(model: model, threads: 2).forward(
        ForwardRequest(
          tokens: tokens, interventions: [.edit(edit)],
          logits: LogitRequest(positions: everywhere, tokens: .all)))
      let difference = largestDifference(
        result.allLogits, try file.floats("\(name).logits"))
      #expect(difference < Self.tolerance, "\(name): \(difference)")
    }
  }

  @Test(arguments: TinyModel.allCases)
  func bitsDoNotDependOnThreads(tiny: TinyModel) throws {
    let model = try tiny.load()
    let requests = try interventions(on: tiny, model).map { changes in
      var request = ForwardRequest.everything(
        try tiny.tokens(), layers: model.architecture.layers)
      request.interventions = changes
      return request
    }
    let one = try Engine(model: model, threads: 1).forward(requests)
    let two = try Engine(model: model, threads: 2).forward(requests)
    for (a, b) in zip(one, two) {
      #expect(a.logits.map(\.logits) == b.logits.map(\.logits))
      #expect(a.recorded.map(\.values) == b.recorded.map(\.values))
    }
  }

  @Test(arguments: TinyModel.allCases)
  func patchedRunOfARecordedRunIsThePatchedFullRun(tiny: TinyModel) throws {
    let model = try tiny.load()
    let engine = Engine(model: model, threads: 2)
    let tokens = try tiny.tokens()
    let base = try engine.record([tokens])[0]
    for changes in try interventions(on: tiny, model) {
      var request = ForwardRequest(
        tokens: tokens, interventions: changes,
        logits: LogitRequest(positions: [2, 6, 7, 8, 13, 19], tokens: .all))
      let full = try engine.forward(request)
      request.base = base
      let reused = try engine.forward(request)
      #expect(
        largestDifference(
          reused.logits.flatMap(\.logits), full.logits.flatMap(\.logits)) < 1e-4)
    }
  }

  @Test(arguments: TinyModel.allCases)
  func branchesAddUpToTheResidualStream(tiny: TinyModel) throws {
    let model = try tiny.load()
    let sites: [HookPoint.Site] = [
      .residualPre, .attentionOutput, .mlpOutput, .residualPost,
    ]
    for layer in 0..<model.architecture.layers {
      var hooks = sites.map { HookPoint($0, layer: layer) }
      if model.architecture.blocks[layer].order == .sequential {
        hooks.append(HookPoint(.residualMiddle, layer: layer))
      }
      let recorded = try Engine(model: model, threads: 2).forward(
        ForwardRequest(tokens: try tiny.tokens(), recordings: hooks.map { Recording($0) })
      ).recorded.map(\.values)
      let middle = zip(recorded[0], recorded[1]).map { $0 + $1 }
      let sum = zip(middle, recorded[2]).map { $0 + $1 }
      #expect(largestDifference(sum, recorded[3]) < 1e-5)
      if recorded.count > 4 { #expect(largestDifference(middle, recorded[4]) < 1e-5) }
    }
  }

  /// Zero is zero however it is said, a query that sees nothing mixes nothing, and what is cut within a
  /// run is cut in a sweep over a recorded one.
  @Test(arguments: TinyModel.allCases)
  func cutsAndZerosMeanWhatTheySay(tiny: TinyModel) throws {
    let model = try tiny.load()
    let architecture = model.architecture
    let engine = Engine(model: model, threads: 2)
    let tokens = try tiny.tokens()
    let base = try engine.record([tokens])[0]
    let sites: [HookPoint.Site] = [
      .residualPost, .headOutput, .mlpOutput, .value, .hidden, .attentionOutput,
    ]
    for site in sites {
      let hook = HookPoint(site, layer: 1)
      let width = try #require(hook.width(in: architecture))
      let zeros = RowSource([Float](repeating: 0, count: width), count: 2)
      let changes: [ActivationEdit.Change] = [.zero, .scale(0), .replace(zeros)]
      let requests = changes.map { change in
        ForwardRequest(
          tokens: tokens, base: base,
          interventions: [.edit(ActivationEdit(at: hook, positions: [6, 19], change: change))],
          logits: LogitRequest(tokens: .all))
      }
      let results = try engine.forward(requests).map(\.allLogits)
      #expect(largestDifference(results[0], results[1]) < 1e-5, "\(site)")
      #expect(largestDifference(results[0], results[2]) < 1e-5, "\(site)")
    }
    for base in [nil, base] {
      let blind = try engine.forward(
        ForwardRequest(
          tokens: tokens, base: base,
          interventions: [
            .knockout(EdgeKnockout(layers: 0...1, queries: [7], keys: Array(0...7))),
            .knockout(EdgeKnockout(layers: 0...1, queries: [0], keys: [0])),
          ],
          recordings: [.pattern, .headOutput].map {
            Recording(HookPoint($0, layer: 1), positions: [0, 7])
          }, logits: LogitRequest(positions: [0, 7, 19], tokens: .all)))
      let mixed = blind.recorded.flatMap(\.values)
      #expect(Set(mixed) == [0])
      let isFinite = blind.allLogits.allSatisfy { $0.isFinite }
      #expect(isFinite)
    }
  }

  @Test func windowLimitsWhatAQuerySees() throws {
    let model = try TinyModel.gemma2.load()
    let tokens = try TinyModel.gemma2.tokens()
    let recorded = try Engine(model: model, threads: 1).forward(
      ForwardRequest(
        tokens: tokens,
        recordings: [
          Recording(HookPoint(.pattern, layer: 0)), Recording(HookPoint(.scores, layer: 0)),
          Recording(HookPoint(.pattern, layer: 1)),
        ])
    ).recorded
    let heads = model.architecture.heads
    for position in tokens.indices {
      let (windowed, scores) = (
        recorded[0].row(position * heads), recorded[1].row(position * heads)
      )
      for key in tokens.indices {
        let isSeen = key <= position && key > position - 6
        #expect((windowed[key] > 0) == isSeen)
        #expect(scores[key].isFinite == isSeen)
        #expect((recorded[2].row(position * heads)[key] > 0) == (key <= position))
      }
      #expect(abs(windowed.reduce(0, +) - 1) < 1e-5)
    }
    let outside = EdgeKnockout(layers: 0...0, queries: [19], keys: [13])
    #expect {
      try outside.validated(by: model)
    } throws: { "\($0)".contains("touches nothing") }
    try EdgeKnockout(layers: 0...1, queries: [19], keys: [13]).validated(by: model)
  }

  @Test func hookPointsThatAFamilyLacksAreRefused() throws {
    let middle = HookPoint(.residualMiddle, layer: 1)
    #expect {
      try Engine(model: try TinyModel.gptNeoX.load(), threads: 1)
        .forward(ForwardRequest(tokens: [1], recordings: [Recording(middle)]))
    } throws: { error in
      "\(error)".contains("blocks.1.hook_resid_mid: ")
        && "\(error)".contains("read the same residual stream")
    }
    let edit = ActivationEdit(at: HookPoint(.rotatedKey, layer: 0), positions: [0], change: .zero)
    #expect {
      try Engine(model: try TinyModel.gpt2.load(), threads: 1)
        .forward(ForwardRequest(tokens: [1], interventions: [.edit(edit)]))
    } throws: { error in
      "\(error)".contains("blocks.0.attn.hook_rot_k: block 0 of this gpt2 model does not rotate")
    }
  }

  /// Sets of changes that reach every kind of hook point.
  private func interventions(on tiny: TinyModel, _ model: LanguageModel) throws -> [[Intervention]]
  {
    let tokens = try tiny.tokens()
    let donor = try Engine(model: model, threads: 2).record([tokens.reversed()])[0]
    let rows = RowSource(donor.residualPost(layer: 0, positions: [3, 7]))
    let vector = (0..<model.architecture.width).map { Float($0 % 5) / 5 }
    func edit(
      _ site: HookPoint.Site, _ layer: Int, _ positions: [Int], heads: [Int]? = nil,
      _ change: ActivationEdit.Change
    ) -> Intervention {
      .edit(
        ActivationEdit(
          at: HookPoint(site, layer: layer), positions: positions, heads: heads, change: change))
    }
    return [
      [],
      [edit(.residualPost, 0, [3, 7], .replace(rows))],
      [edit(.embedding, 0, [4, 5], .add(RowSource(vector, count: 2)))],
      [edit(.attentionOutput, 1, [2, 12], .zero), edit(.mlpOutput, 0, [9], .scale(2))],
      [edit(.headOutput, 1, [5, 6, 7], heads: [1], .zero), edit(.hidden, 1, [8], .scale(0.5))],
      [edit(.key, 0, [6], .zero), edit(.query, 1, [10], .scale(1.5)), edit(.value, 1, [0], .zero)],
      [edit(.scores, 0, [11, 19], heads: [0], .scale(0)), edit(.pattern, 1, [13], .scale(0.5))],
      [.knockout(EdgeKnockout(layers: 0...1, queries: [6, 19], keys: [3, 5, 17]))],
    ]
  }
}

extension EdgeKnockout {
  /// Runs it on twenty tokens.
  fileprivate func validated(by model: LanguageModel) throws {
    _ = try Engine(model: model, threads: 1).forward(
      ForwardRequest(tokens: Array(0..<20), interventions: [.knockout(self)]))
  }
}
