import Foundation
import TensorCore
import Testing

@testable import Transformer

@Suite struct ActivationMemoryTests {
  private static let tokens = (0..<60).map { ($0 * 37 + 11) % 90 }

  private func engine(_ memory: Int, threads: Int = 2) throws -> Engine {
    Engine(model: try TinyModel.llama.load(), threads: threads, memory: memory)
  }

  /// A recording of the residual stream after each block, for each prompt.
  private func recordings(_ count: Int, layers: Int) -> [ForwardRequest] {
    (0..<count).map { number in
      ForwardRequest(
        tokens: [number % 250] + Self.tokens,
        recordings: (0..<layers).map { Recording(HookPoint(.residualPost, layer: $0)) },
        logits: .none)
    }
  }

  @Test func whatDoesNotFitIsRefusedWithTheMemoryThatWouldDo() throws {
    let engine = try engine(1 << 20)
    let architecture = engine.model.architecture
    let requests = recordings(200, layers: architecture.layers)
    let recorded = 200 * 61 * architecture.width * architecture.layers * 4
    try #require(recorded > 2 << 20)
    let error = #expect(throws: UserError.self) { try engine.forward(requests) }
    #expect(engine.memory.live == 0 && engine.memory.peak == 0)
    let text = try #require(error?.description)
    #expect(!text.contains("\n") && text.contains("allowed are 1 MB"), "\(text)")
    let needed = try #require(text.firstMatch(of: /need (\d+) MB/).flatMap { Int($0.1) })
    #expect(needed << 20 >= recorded && needed << 20 < recorded + (2 << 20))
    let enough = try #require(text.firstMatch(of: /--memory (\d+)/).flatMap { Int($0.1) })

    let larger = try self.engine(enough << 20)
    var results = try larger.forward(requests)
    let live = withExtendedLifetime(results) { larger.memory.live }
    #expect(live == recorded)
    #expect(larger.memory.peak > recorded && larger.memory.peak <= enough << 20)
    results = []
    #expect(results.isEmpty && larger.memory.live == 0)
  }

  @Test func runsRecordingsAndLogitsAreCountedWhileTheyAreHeld() throws {
    let engine = try engine(64 << 20)
    let architecture = engine.model.architecture
    let kept =
      60 * 4
      * ((architecture.layers + 1) * architecture.width
        + 2 * architecture.layers * architecture.keyValueHeads * architecture.headWidth)
    var run: RecordedRun? = try engine.record([Self.tokens])[0]
    #expect(engine.memory.live == kept && run?.byteCount == kept)

    func logits(of base: RecordedRun?) throws -> ForwardResult {
      try engine.forward(
        ForwardRequest(
          tokens: Self.tokens, base: base,
          recordings: [Recording(HookPoint(.pattern, layer: 1), positions: [3, 9])],
          logits: LogitRequest(positions: [5, 6, 7], tokens: .all)))
    }
    var result: ForwardResult? = try logits(of: run)
    let held = (3 * architecture.vocabulary + 2 * architecture.heads * 60) * 4
    #expect(engine.memory.live == kept + held)
    run = nil
    #expect(engine.memory.live == held)
    let pattern = try #require(result?.recorded[0])
    result = nil
    #expect(engine.memory.live == 2 * architecture.heads * 60 * 4)
    #expect(pattern.shape == [2, architecture.heads, 60])
  }

  /// Few queries at a time, small batches, and the whole vocabulary of few rows.
  @Test(arguments: [TinyModel.llama, .gpt2, .gemma2, .olmo2, .gptJ])
  func littleMemoryGivesTheSameNumbers(_ tiny: TinyModel) throws {
    let model = try tiny.load()
    let length = min(60, model.architecture.contextLength)
    let all = Engine(model: model, threads: 1)
    let requests = (1...8).map { number in
      ForwardRequest(
        tokens: Array(Self.tokens.prefix(length - number)).map { $0 + number % 3 },
        recordings: [Recording(HookPoint(.headResult, layer: 1))],
        logits: LogitRequest(positions: Array(0..<length - number), tokens: .all))
    }
    let expected = try all.forward(requests)
    var memory = 1 << 18
    var done: [Int] = []
    var results: [ForwardResult] = []
    // The least that does.
    while results.isEmpty {
      let engine = Engine(model: model, threads: 2, memory: memory)
      done = []
      do {
        results = try engine.forward(requests) { done.append($0) }
        #expect(engine.memory.peak <= memory)
      } catch is UserError { memory += memory / 8 }
    }
    #expect(done.count > 1)
    for (result, expected) in zip(results, expected) {
      #expect(largestDifference(result.allLogits, expected.allLogits) < 1e-4)
      #expect(relativeError(result.recorded[0].values, expected.recorded[0].values) < 1e-4)
    }
  }

  @Test func scoresOfLongPromptsAreTakenInPieces() throws {
    let model = try TinyModel.llama.load()
    let shares = ActivationShares(
      limit: 512 << 10, chosenRows: nil, architecture: model.architecture)
    #expect(shares.queries(keys: 60) < 16)
    let request = ForwardRequest(
      tokens: Self.tokens, recordings: [Recording(HookPoint(.pattern, layer: 1))],
      logits: LogitRequest(positions: Array(Self.tokens.indices), tokens: .some([1, 2, 3])))
    let expected = try Engine(model: model, threads: 1).forward(request)
    let engine = Engine(model: model, threads: 1, memory: 512 << 10)
    let result = try engine.forward(request)
    #expect(engine.memory.peak <= 512 << 10)
    #expect(largestDifference(result.allLogits, expected.allLogits) < 1e-4)
    #expect(largestDifference(result.recorded[0].values, expected.recorded[0].values) < 1e-5)
  }

  /// What is put together in a batch decides rounding, and that the rows alone decide.
  @Test(arguments: [1, 40, 4096])
  func promptsOfUnequalLengthGiveTheSameBits(_ rowBudget: Int) throws {
    let model = try TinyModel.llama.load()
    func bits(_ memory: Int) throws -> [[UInt32]] {
      let engine = Engine(model: model, threads: 2, rowBudget: rowBudget, memory: memory)
      let requests = (0..<24).map { number in
        ForwardRequest(
          tokens: Array(Self.tokens.suffix(10 + 7 * number % 40)),
          logits: LogitRequest(tokens: .some([1, 2, 3]), summarises: true))
      }
      return try engine.forward(requests).map { $0.allLogits.map(\.bitPattern) }
    }
    #expect(try bits(8 << 20) == bits(.max))
  }

  @Test func moreMemoryKeepsTheNumbersOfUnequalPrompts() throws {
    let requests = (0..<24).map { number in
      ForwardRequest(
        tokens: Array(Self.tokens.suffix(10 + 7 * number % 40)), logits: LogitRequest(tokens: .all))
    }
    let (small, large) = try (
      engine(1 << 20).forward(requests), engine(1 << 30).forward(requests)
    )
    for (a, b) in zip(small, large) {
      #expect(largestDifference(a.allLogits, b.allLogits) < 1e-4)
    }
  }

  @Test func extendedRunsKeepToTheMemory() throws {
    let engine = try engine(160 << 10)
    var run = try engine.record([Array(Self.tokens.prefix(20))])[0]
    var longest = 20
    let error = #expect(throws: UserError.self) {
      while true {
        var request = ForwardRequest(
          tokens: run.tokens + [longest % 250], base: run, logits: LogitRequest(tokens: .all))
        request.extendsBase = true
        let result = try engine.forward(request)
        #expect(engine.memory.live <= engine.memory.limit)
        run = try #require(result.run)
        longest = run.tokens.count
      }
    }
    #expect(longest > 40)
    #expect("\(try #require(error))".contains("--memory"))
  }

  @Test func longPromptsAreRecordedInPieces() throws {
    let small = try engine(400 << 10)
    let large = try engine(1 << 30)
    let hooks = (0..<small.model.architecture.layers).flatMap {
      [HookPoint(.headResult, layer: $0), HookPoint(.residualPost, layer: $0)]
    }
    let prompts = [7, 60, 33].map {
      ActivationFile.Prompt(
        tokens: Array(Self.tokens.prefix($0)), positions: Array(0..<$0))
    }
    let folder = try TemporaryFolder()
    var done: [Int] = []
    let (a, b) = (folder.path + "/a.safetensors", folder.path + "/b.safetensors")
    try ActivationFile(prompts, at: hooks, engine: small).write(to: a) { done.append($0) }
    try ActivationFile(prompts, at: hooks, engine: large).write(to: b)
    #expect(done.count > 3 && done == done.sorted() && done.last == 3)
    #expect(small.memory.peak <= 400 << 10 && small.memory.live == 0)
    for hook in hooks.map(\.description) {
      let (few, many) = try (SafetensorsFile(a).floats(hook), SafetensorsFile(b).floats(hook))
      #expect(relativeError(few, many) < 1e-4)
    }
  }
}
