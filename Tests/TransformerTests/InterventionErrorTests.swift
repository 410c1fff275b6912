import TensorCore
import Testing

@testable import Transformer

/// Whatever a request gets wrong is answered in one line that says what, where and what to do.
@Suite struct InterventionErrorTests {
  static let tokens = Array(RandomVariants.recipient.prefix(5))

  private func expectError(_ request: ForwardRequest, _ parts: String...) throws {
    let engine = try Golden.engine()
    let error = #expect(throws: UserError.self) { try engine.forward(request) }
    let line = try #require(error).description
    #expect(!line.contains("\n"))
    for part in parts { #expect(line.contains(part), "\(line) lacks \(part)") }
  }

  private func expectError(_ interventions: [Intervention], _ parts: String...) throws {
    let engine = try Golden.engine()
    let error = #expect(throws: UserError.self) {
      try engine.forward(ForwardRequest(tokens: Self.tokens, interventions: interventions))
    }
    let line = try #require(error).description
    #expect(!line.contains("\n"))
    for part in parts { #expect(line.contains(part), "\(line) lacks \(part)") }
  }

  private func edit(
    _ site: HookPoint.Site, _ layer: Int = 3, positions: [Int] = [1], heads: [Int]? = nil,
    change: ActivationEdit.Change = .zero
  ) -> Intervention {
    .edit(
      ActivationEdit(
        at: HookPoint(site, layer: layer), positions: positions, heads: heads, change: change))
  }

  @Test func placesMustExist() throws {
    try expectError([edit(.residualPost, 30)], "blocks.30.hook_resid_post", "layer 30", "0 to 29")
    try expectError([edit(.residualPost, -1)], "layer -1")
    try expectError([edit(.residualPost, positions: [])], "touches nothing", "position")
    try expectError([edit(.residualPost, positions: [5])], "position 5", "0 to 4")
    try expectError([edit(.residualPost, positions: [-1])], "position -1")
    try expectError([edit(.residualPost, positions: [2, 2])], "position", "twice")
    try expectError([edit(.headOutput, heads: [9])], "head 9", "0 to 8")
    try expectError([edit(.key, heads: [3])], "head 3", "0 to 2")
    try expectError([edit(.headOutput, heads: [])], "touches nothing", "head")
    try expectError([edit(.headOutput, heads: [1, 1])], "head", "twice")
    try expectError([edit(.mlpOutput, heads: [0])], "no heads", "attn.hook_z")
  }

  @Test func valuesMustFit() throws {
    let two = Tensor(zeros: [2, 576])
    try expectError(
      [edit(.residualPost, change: .replace(RowSource(two)))], "2 positions", "recipient 1")
    try expectError(
      [edit(.headOutput, change: .replace(RowSource(Tensor(zeros: [1, 64]), rows: [0])))], "64",
      "576")
    try expectError(
      [edit(.pattern, change: .replace(RowSource(Tensor(zeros: [1, 9, 6]))))], "54", "45", "length")
    try expectError([edit(.residualPost, change: .replace(RowSource(two, rows: [2])))], "donor row")
    for factor in [Float.nan, .infinity] {
      try expectError([edit(.residualPost, change: .scale(factor))], "not finite")
    }
  }

  @Test func knockoutsMustTouchSomething() throws {
    func knockout(
      _ layers: ClosedRange<Int> = 0...1, heads: [Int]? = nil, queries: [Int] = [3],
      keys: [Int] = [1]
    ) -> Intervention {
      .knockout(EdgeKnockout(layers: layers, heads: heads, queries: queries, keys: keys))
    }
    try expectError([knockout(queries: [2, 1], keys: [3, 4])], "touches nothing", "before")
    try expectError([knockout(28...30)], "layer 30")
    try expectError([knockout(-1...2)], "layer -1")
    try expectError([knockout(queries: [])], "no query")
    try expectError([knockout(keys: [])], "no key")
    try expectError([knockout(keys: [5])], "key 5", "0 to 4")
    try expectError([knockout(heads: [9])], "head 9")
    try expectError([knockout(queries: [3, 3])], "query", "twice")
  }

  @Test func sequencesMustFitTheModel() throws {
    try expectError(ForwardRequest(tokens: []), "no tokens")
    try expectError(
      ForwardRequest(tokens: Array(repeating: 1, count: 8193)), "8193 tokens", "8192")
    try expectError(ForwardRequest(tokens: [1, 49152]), "token 49152", "0 to 49151")
    try expectError(ForwardRequest(tokens: [-1]), "token -1")
  }

  @Test func wishesMustFitTheSequence() throws {
    func recording(_ layer: Int, _ positions: [Int]?) -> ForwardRequest {
      ForwardRequest(
        tokens: Self.tokens,
        recordings: [Recording(HookPoint(.pattern, layer: layer), positions: positions)])
    }
    func logits(_ logits: LogitRequest) -> ForwardRequest {
      ForwardRequest(tokens: Self.tokens, logits: logits)
    }
    try expectError(recording(30, nil), "layer 30", "blocks.30.attn.hook_pattern")
    try expectError(recording(-1, nil), "layer -1")
    try expectError(recording(0, [5]), "position 5")
    try expectError(recording(0, [1, 1]), "twice")
    try expectError(logits(LogitRequest(positions: [5])), "position 5", "logits")
    try expectError(logits(LogitRequest(tokens: .some([49152]))), "token 49152", "logits")
    try expectError(
      logits(LogitRequest(summarises: true, reference: Tensor(zeros: [3]))), "3 values", "49152")
  }

  /// Edits so large that 32-bit arithmetic overflows somewhere behind them.
  @Test(arguments: HookPoint.all(layer: 3).map(\.site))
  func overflowIsReported(site: HookPoint.Site) throws {
    let engine = try Golden.engine()
    let hook = HookPoint(site, layer: 3)
    let width = hook.width(in: engine.model.architecture) ?? 9 * Self.tokens.count
    func run(_ value: Float, recording: Bool) throws -> ForwardResult {
      let edit = edit(
        site, positions: [4],
        change: .add(RowSource((0..<width).map { $0 % 2 == 0 ? value : -value }, count: 1)))
      return try engine.forward(
        ForwardRequest(
          tokens: Self.tokens, interventions: [edit],
          recordings: recording ? [Recording(hook)] : [],
          logits: recording ? .none : LogitRequest(tokens: .all, summarises: true)))
    }
    // What is recorded is checked even where nothing follows.
    for (value, recording) in [(Float.nan, false), (.infinity, false), (.infinity, true)] {
      let error = #expect(throws: UserError.self) { try run(value, recording: recording) }
      let line = try #require(error).description
      #expect(line.contains("not finite") && !line.contains("\n"))
    }
    // Finite values may overflow further on or, as scores and after the last norm, be borne; they
    // may not turn into numbers that look sound.
    if let result = try? run(1e38, recording: false) {
      #expect(!result.allLogits.contains { !$0.isFinite })
      #expect([.scores, .pattern, .finalNormalized].contains(site) || site.isNormScale, "\(site)")
    }
  }
}
