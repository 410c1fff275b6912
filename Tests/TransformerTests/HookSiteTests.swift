import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Hook points of norms, of the MLP and of heads' results, against the equations, computed in double
/// precision from other hook points and the weights.
@Suite struct HookSiteTests {
  typealias Site = HookPoint.Site

  private struct Run {
    let model: LanguageModel
    let layer: Int
    let recorded: [Site: Tensor]
    var architecture: Architecture { model.architecture }
    var block: LanguageModel.Block { model.weights.blocks[layer] }
    var kind: Architecture.Block { model.architecture.blocks[layer] }

    func has(_ site: Site) -> Bool { recorded[site] != nil }

    func rows(_ site: Site) throws -> [[Double]] {
      let tensor = try #require(recorded[site])
      return (0..<tensor.rows).map { tensor.row($0).map(Double.init) }
    }
  }

  /// Every site that the family has, in one block.
  private func run(
    _ tiny: TinyModel, layer: Int = 1, interventions: [Intervention] = [], based: Bool = false
  ) throws -> Run {
    let model = try tiny.load()
    let engine = Engine(model: model, threads: 2)
    let tokens = try tiny.tokens()
    let hooks = Site.allCases.map { HookPoint($0, layer: layer) }
      .filter { (try? $0.validate(for: model.architecture)) != nil }
    let result = try engine.forward(
      ForwardRequest(
        tokens: tokens, base: based ? try engine.record([tokens])[0] : nil,
        interventions: interventions, recordings: hooks.map { Recording($0) }))
    let tensors = zip(hooks, result.recorded).map { ($0.site, RowSource($1).tensor) }
    return Run(model: model, layer: layer, recorded: Dictionary(uniqueKeysWithValues: tensors))
  }

  /// W · x + b.
  private func apply(_ linear: PackedLinear, _ x: [Double]) -> [Double] {
    var weights = [Float](repeating: 0, count: linear.outputs * linear.inputs)
    weights.withUnsafeMutableBufferPointer {
      guard let start = $0.baseAddress else { return }
      linear.unpack(0..<linear.outputs, into: start)
    }
    return (0..<linear.outputs).map { output in
      x.indices.reduce(Double(linear.bias?[output] ?? 0)) {
        $0 + Double(weights[output * linear.inputs + $1]) * x[$1]
      }
    }
  }

  private func weighted(_ row: [Double], _ norm: LanguageModel.Norm?) -> [Double] {
    guard let norm else { return row }
    return row.indices.map { row[$0] * Double(norm.weight[$0]) + Double(norm.bias?[$0] ?? 0) }
  }

  private func expectClose(
    _ a: [Double], _ b: [Double], _ name: String, within tolerance: Double = 2e-5
  ) {
    let scale = max(b.map(abs).max() ?? 0, 1)
    let difference = zip(a, b).map { abs($0 - $1) }.max() ?? 0
    #expect(a.count == b.count && difference < tolerance * scale, "\(name): \(difference)")
  }

  @Test(arguments: TinyModel.allCases)
  func normsDivideByTheirScale(tiny: TinyModel) throws {
    let run = try run(tiny)
    let architecture = run.architecture
    let middle: Site = run.has(.residualMiddle) ? .residualMiddle : .residualPre
    let last = try Engine(model: run.model, threads: 1).forward(
      ForwardRequest(
        tokens: tiny.tokens(),
        recordings: [Recording(HookPoint(.residualPost, layer: architecture.layers - 1))])
    ).recorded[0]
    let places: [(Site, Site, Architecture.Norm?, [[Double]])] = [
      (
        .attentionNormScale, .attentionNormalized, run.kind.attentionNorm,
        try run.rows(.residualPre)
      ),
      (.mlpNormScale, .mlpNormalized, run.kind.mlpNorm, try run.rows(middle)),
      (
        .finalNormScale, .finalNormalized, architecture.finalNorm,
        (0..<last.rows).map { last.row($0).map(Double.init) }
      ),
    ]
    for (scale, normalized, norm, inputs) in places {
      guard let norm else {
        #expect(!run.has(scale) && !run.has(normalized))
        continue
      }
      let (scales, rows) = (try run.rows(scale), try run.rows(normalized))
      #expect(scales.count == inputs.count && scales[0].count == 1)
      for (index, input) in inputs.enumerated() {
        let count = Double(input.count)
        let mean = norm.kind == .layer ? input.reduce(0, +) / count : 0
        let square = input.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
        let divisor = (square + Double(norm.epsilon)).squareRoot()
        expectClose(scales[index], [divisor], "\(scale)")
        expectClose(rows[index], input.map { ($0 - mean) / divisor }, "\(normalized)")
      }
    }
  }

  @Test(arguments: TinyModel.allCases)
  func matricesReadTheWeightedNorms(tiny: TinyModel) throws {
    let run = try run(tiny)
    let block = run.block
    let pre = try run.rows(.hiddenPre)
    func clipped(_ values: [Double]) -> [Double] {
      guard let clip = run.kind.queryKeyValueClip.map(Double.init) else { return values }
      return values.map { min(max($0, -clip), clip) }
    }
    let reads = try run.rows(run.has(.attentionNormalized) ? .attentionNormalized : .residualPre)
    for (position, row) in reads.enumerated() {
      let input = weighted(row, block.attentionNorm)
      expectClose(try run.rows(.query)[position], clipped(apply(block.query, input)), "q")
      expectClose(try run.rows(.value)[position], clipped(apply(block.value, input)), "v")
    }
    let hasOneNorm = run.kind.order == .parallelWithOneNorm
    let mlpReads =
      hasOneNorm
      ? reads : try run.rows(run.has(.mlpNormalized) ? .mlpNormalized : .residualMiddle)
    for (position, row) in mlpReads.enumerated() {
      let input = weighted(row, hasOneNorm ? block.attentionNorm : block.mlpNorm)
      expectClose(pre[position], apply(block.gate ?? block.up, input), "pre")
      var linear = [Double](repeating: 1, count: run.architecture.hiddenWidth)
      if block.gate != nil {
        linear = try run.rows(.hiddenLinear)[position]
        expectClose(linear, apply(block.up, input), "pre_linear")
      }
      let activated = pre[position].map { x -> Double in
        switch run.kind.mlp.activation {
        case .silu: x / (1 + exp(-x))
        case .gelu: x * 0.5 * erfc(-x / 2.0.squareRoot())
        case .geluTanh:
          0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        }
      }
      expectClose(try run.rows(.hidden)[position], zip(activated, linear).map(*), "post")
    }
  }

  @Test(arguments: TinyModel.allCases, [false, true])
  func resultsAreTheHeadsSharesOfTheOutput(tiny: TinyModel, based: Bool) throws {
    let run = try run(tiny, based: based)
    let (heads, width) = (run.architecture.heads, run.architecture.width)
    let headWidth = run.architecture.headWidth
    let bias = run.block.output.bias?.values ?? Array(repeating: 0, count: width)
    for (position, result) in try run.rows(.headResult).enumerated() {
      let z = try run.rows(.headOutput)[position]
      var sum = bias.map(Double.init)
      for head in 0..<heads {
        let own = z.indices.map { $0 / headWidth == head ? z[$0] : 0 }
        let part = Array(result[head * width..<(head + 1) * width])
        let product = zip(apply(run.block.output, own), bias).map { $0 - Double($1) }
        expectClose(part, product, "result of head \(head)")
        sum = zip(sum, part).map(+)
      }
      guard run.kind.attentionPostNorm == nil else { continue }
      let scaled = sum.map { $0 * Double(run.kind.branchScale) }
      expectClose(try run.rows(.attentionOutput)[position], scaled, "attn_out")
    }
  }

  @Test func learnedPositionsAreAddedToTheEmbedding() throws {
    let run = try run(.gpt2, layer: 0)
    let table = try #require(run.model.weights.positions).floats()
    let width = run.architecture.width
    for (position, row) in try run.rows(.positionEmbedding).enumerated() {
      #expect(row == table[position * width..<(position + 1) * width].map(Double.init))
      let sum = zip(try run.rows(.embedding)[position], row).map(+)
      expectClose(try run.rows(.residualPre)[position], sum, "resid_pre")
    }
  }

  // MARK: - Edits

  private func logits(
    _ tiny: TinyModel, _ edits: [ActivationEdit], based: Bool = false
  ) throws -> [Float] {
    let engine = Engine(model: try tiny.load(), threads: 2)
    let tokens = try tiny.tokens()
    return try engine.forward(
      ForwardRequest(
        tokens: tokens, base: based ? try engine.record([tokens])[0] : nil,
        interventions: edits.map { .edit($0) },
        logits: LogitRequest(positions: [9, tokens.count - 1], tokens: .all))
    ).allLogits
  }

  private func edit(
    _ site: Site, _ change: ActivationEdit.Change, heads: [Int]? = nil, layer: Int = 1
  ) -> ActivationEdit {
    ActivationEdit(
      at: HookPoint(site, layer: layer), positions: [4, 9], heads: heads, change: change)
  }

  @Test(arguments: TinyModel.allCases, [false, true])
  func editsThatMeanTheSameGiveTheSame(tiny: TinyModel, based: Bool) throws {
    let architecture = try tiny.load().architecture
    var pairs = [
      (edit(.attentionNormScale, .scale(2)), edit(.attentionNormalized, .scale(0.5))),
      (edit(.mlpNormScale, .scale(2)), edit(.mlpNormalized, .scale(0.5))),
      // A factor above 0 would not pass a norm that follows.
      (edit(.hiddenLinear, .scale(-3)), edit(.hidden, .scale(-3))),
      (edit(.positionEmbedding, .zero), edit(.positionEmbedding, .scale(0))),
      (edit(.finalNormScale, .scale(0.25)), edit(.finalNormalized, .scale(4))),
      (edit(.headResult, .zero, heads: [1]), edit(.headOutput, .zero, heads: [1])),
      (
        edit(.headResult, .scale(-1), heads: [0, 1]), edit(.headOutput, .scale(-1), heads: [0, 1])
      ),
    ]
    pairs.removeAll { (try? $0.0.hook.validate(for: architecture)) == nil }
    #expect(pairs.count >= 3)
    let clean = try logits(tiny, [])
    for (a, b) in pairs {
      let changed = try logits(tiny, [a], based: based)
      #expect(largestDifference(changed, try logits(tiny, [b], based: based)) < 1e-4, "\(a.hook)")
      #expect(largestDifference(changed, try logits(tiny, [a], based: !based)) < 1e-4, "\(a.hook)")
      #expect(largestDifference(changed, clean) > 1e-3, "\(a.hook)")
    }
  }

  @Test func theFinalNormIsEditedBeforeItsWeightAndBias() throws {
    // Zeros leave the bias: all positions get the same logits, W · b.
    let model = try TinyModel.gpt2.load()
    let bias = try #require(model.weights.finalNorm.bias).values.map(Double.init)
    let expected = apply(model.weights.unembedding, bias)
    let changed = try logits(.gpt2, [edit(.finalNormalized, .zero)])
    expectClose(changed.prefix(expected.count).map(Double.init), expected, "logits")
    // Ones leave the weight.
    let llama = try TinyModel.llama.load()
    let weight = llama.weights.finalNorm.weight.values.map(Double.init)
    let ones = Tensor(repeating: 1, shape: [2, weight.count])
    let given = try logits(.llama, [edit(.finalNormalized, .replace(RowSource(ones)))])
    let product = apply(llama.weights.unembedding, weight)
    expectClose(given.prefix(product.count).map(Double.init), product, "logits")
  }

  @Test func namesOfTransformerLensThreeAreRead() throws {
    #expect(try HookPoint(parsing: "blocks.3.hook_in") == HookPoint(.residualPre, layer: 3))
    #expect(try HookPoint(parsing: "blocks.3.hook_out") == HookPoint(.residualPost, layer: 3))
    #expect(HookPoint(.residualPost, layer: 3).description == "blocks.3.hook_resid_post")
    for site in Site.allCases {
      let hook = HookPoint(site, layer: 2)
      #expect(try HookPoint(parsing: hook.description) == hook)
    }
    #expect(throws: UserError.self) { try HookPoint(parsing: "blocks.3.hook_pos_embed") }
    #expect(throws: UserError.self) { try HookPoint(parsing: "hook_in") }
  }

  @Test func sitesThatAFamilyLacksAreNamed() throws {
    func error(_ tiny: TinyModel, _ site: Site) throws -> String {
      let error = #expect(throws: UserError.self) {
        try Engine(model: try tiny.load(), threads: 1).forward(
          ForwardRequest(tokens: [1], recordings: [Recording(HookPoint(site, layer: 1))]))
      }
      return try #require(error).description
    }
    #expect(try error(.llama, .positionEmbedding).contains("no learned positions"))
    #expect(try error(.gpt2, .hiddenLinear).contains("blocks.1.mlp.hook_pre_linear: "))
    #expect(try error(.gpt2, .hiddenLinear).contains("not gated"))
    #expect(try error(.olmo2, .attentionNormalized).contains("reads the residual stream as it is"))
    #expect(try error(.olmo2, .mlpNormScale).contains("use hook_resid_mid"))
    #expect(try error(.gptJ, .mlpNormalized).contains("use ln1.hook_normalized"))
    #expect(throws: UserError.self) {
      try HookPoint(.rotatedKey, layer: 2).validate(
        for: TinyModel(name: "smollm3_list").load().architecture)
    }
  }
}
