import Foundation
import Synchronization
import TensorCore
import Testing

@testable import RuleVectors
@testable import Transformer

@Suite struct GridPairsTests {
  /// Counts what it is asked to encode.
  private final class CountingTokenizer: Tokenizer {
    private let tokenizer: any Tokenizer
    let encoded = Mutex(0)

    init(_ tokenizer: any Tokenizer) { self.tokenizer = tokenizer }

    var vocabularySize: Int { tokenizer.vocabularySize }

    func encode(_ text: String, parsingSpecialTokens: Bool) throws -> [Int] {
      encoded.withLock { $0 += 1 }
      return try tokenizer.encode(text, parsingSpecialTokens: parsingSpecialTokens)
    }

    func bytes(of id: Int) -> [UInt8] { tokenizer.bytes(of: id) }
  }

  private func pairs(_ names: [(String, String)]) throws -> PromptPairs {
    let path = NSTemporaryDirectory() + "icl-probe-test-\(UUID().uuidString).jsonl"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let lines = names.map { a, b in
      "{\"clean\": \"\(a), \(b), \(a) to\", \"corrupted\": \"\(a), \(b), \(b) to\", "
        + "\"right\": \" \(b)\", \"wrong\": \" \(a)\"}"
    }
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
    return try PromptPairs(contentsOf: path)
  }

  private func units(_ pairs: PromptPairs, _ laboratory: Laboratory) throws -> [RuleVectors.Unit] {
    let probe = try RowFixtures.probe("p", #""experiment": "grid", "sites": ["resid_pre"]"#)
    return try RunPlan(
      [probe],
      Setting(
        subject: .pairs(pairs), episodes: pairs.pairs.count, demonstrations: 0,
        architecture: laboratory.engine.model.architecture,
        tokenizer: laboratory.engine.model.tokenizer, tokens: 12,
        findTask: { throw UserError($0) })
    ).units
  }

  /// A unit's work does not grow with the number of pairs.
  @Test func promptsAreEncodedAFewTimesEach() throws {
    let model = try TinyLaboratory.model()
    let tokenizer = CountingTokenizer(model.tokenizer)
    let engine = Engine(
      model: LanguageModel(
        architecture: model.architecture, tokenizer: tokenizer, beginToken: .none, path: model.path,
        weights: model.weights), threads: 1)
    let laboratory = Laboratory(engine: engine, seed: 0, demonstrations: 0)
    let names = (0..<100).map { _ in ("Ti", "Jo") }
    for unit in try units(pairs(names), laboratory) { try unit.check(laboratory) }
    #expect(tokenizer.encoded.withLock { $0 } <= 100 * 8)
  }

  /// Positions are counted from the end where prompts differ in length: what they share is there.
  @Test func positionsOfPromptsOfDifferentLengths() throws {
    let laboratory = try TinyLaboratory.laboratory()
    for (names, first) in [
      ([("Ti", "Jo"), ("Xu", "Li")], "0"), ([("Ti", "Jo"), ("Xus", "Lis")], "-13"),
    ] {
      let unit = try #require(try units(pairs(names), laboratory).first)
      let rows = try unit.compute(laboratory, NeededRows(rows: [:])).compactMap { $0 as? GridRow }
      #expect(rows.first?.cell == first)
      #expect(Set(rows.compactMap(\.cell)).count == "Ti, Jo, Ti to".count)
    }
  }
}
