import TensorCore
import Transformer

/// `generate`: 128 tokens behind a prompt of about 80, the likeliest each time, one by one. Both sides take the
/// tokens that the project finds, so that both do the same work; the prompt's own pass is not counted.
struct GenerationWork {
  static let name = "generate"
  private static let count = 128
  /// Of so many tokens the two sides' logits are compared.
  private static let compared = 8

  private let prompt: [Int]
  private let tokens: [Int]

  init(_ engine: Engine, prompt: [Int]) throws {
    self.prompt = prompt
    let begun = try Self.begin(engine, prompt)
    var generator = try Generator(engine, after: begun)
    tokens = try generator.generate(Self.count).tokens
  }

  var description: JSONValue {
    [
      "prompts": [.array(prompt.map { .integer($0) })],
      "tokens": .array(tokens.map { .integer($0) }), "compared": .integer(Self.compared),
    ]
  }

  private static func begin(_ engine: Engine, _ prompt: [Int]) throws -> ForwardResult {
    try engine.forward([
      ForwardRequest(tokens: prompt, logits: LogitRequest(tokens: .all), keepsRun: true)
    ])[0]
  }

  /// The prompt's run, which generation goes on from.
  func prompt(_ engine: Engine) throws -> ForwardResult { try Self.begin(engine, prompt) }

  /// Logits of the first tokens that are chosen.
  func run(_ engine: Engine, after prompt: ForwardResult) throws -> [Double] {
    var generator = try Generator(engine, after: prompt)
    var logits: [Double] = []
    for _ in 0..<Self.count {
      let next = try generator.nextLogits()
      let token = try generator.generate(1).tokens[0]
      if logits.count < Self.compared { logits.append(Double(next[token])) }
    }
    return logits
  }

  func operations(_ arithmetic: Arithmetic) -> Double {
    Double(Self.count - 1) * (arithmetic.prompt(tokens: 1) + arithmetic.unembeddedRow)
  }
}
