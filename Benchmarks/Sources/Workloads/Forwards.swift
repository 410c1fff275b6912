import Transformer

/// Whole prompts, next-token logits of the last position over the whole vocabulary.
extension Bench {
  private func request(_ tokens: [Int]) -> ForwardRequest {
    ForwardRequest(tokens: tokens, logits: LogitRequest(tokens: .all))
  }

  /// Sixteen prompts of 72 to 87 tokens, 80 on average.
  func forward() throws {
    let prompts = (0..<16).map { prompt($0, tokens: 72 + $0 + ($0 >= 8 ? 1 : 0)) }
    let tokens = prompts.reduce(0) { $0 + $1.count }
    let operations = prompts.reduce(0) {
      $0 + arithmetic.prompt(tokens: $1.count) + arithmetic.unembeddedRow
    }
    let timing = try measure("forward", operations: operations) {
      _ = try engine.forward(prompts.map(request))
    }
    results.set("forward.tokens_per_second", Double(tokens) / timing.seconds)
  }

  /// One prompt of 80 tokens: unpacking the weights is not shared with any other.
  func single() throws {
    let prompt = prompt(0, tokens: 80)
    let operations = arithmetic.prompt(tokens: 80) + arithmetic.unembeddedRow
    try measure("single", operations: operations) { _ = try engine.forward(request(prompt)) }
  }

  /// One prompt of 1,300 tokens.
  func prefill() throws {
    let prompt = prompt(0, tokens: 1300)
    let operations = arithmetic.prompt(tokens: 1300) + arithmetic.unembeddedRow
    let timing = try measure("prefill", operations: operations) {
      _ = try engine.forward(request(prompt))
    }
    results.set("prefill.tokens_per_second", 1300 / timing.seconds)
  }
}
