import TensorCore
import Transformer

/// Tokens behind a prompt of about 80, the likeliest each time, one by one. Both sides take the
/// tokens that the project finds, so that both do the same work; the prompt's own pass is not counted.
struct GenerationWork {
  /// `generate`, 128 tokens of the small model, and 32 of the larger one.
  static let name = "generate"
  static let largeName = "generate_qwen_1_5b"
  /// Of so many tokens the two sides' logits are compared.
  private static let compared = 8

  let name: String
  private let prompt: [Int]
  private let tokens: [Int]

  init(_ engine: Engine, prompt: [Int], isLarge: Bool) throws {
    name = isLarge ? Self.largeName : Self.name
    self.prompt = prompt
    let begun = try Self.begin(engine, prompt)
    var generator = try Generator(engine, after: begun)
    tokens = try generator.generate(isLarge ? 32 : 128).tokens
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
    for _ in tokens {
      let next = try generator.nextLogits()
      let token = try generator.generate(1).tokens[0]
      if logits.count < Self.compared { logits.append(Double(next[token])) }
    }
    return logits
  }

  func operations(_ arithmetic: Arithmetic) -> Double {
    Double(tokens.count - 1) * (arithmetic.prompt(tokens: 1) + arithmetic.unembeddedRow)
  }
}
