import Foundation
import TensorCore
import Terminal
import Transformer

/// What `icl-probe run --generate` was asked for.
struct GenerationOptions {
  static let options = [
    OptionSpecification(
      long: "generate", valueName: "N", help: "Go on with up to N tokens, the likeliest each time."),
    OptionSpecification(
      long: "temperature", valueName: "T",
      help: "Draw tokens of --generate from the softmax of logits / T."),
    OptionSpecification(
      long: "seed", valueName: "N", help: "Seed of --temperature.", defaultText: "0"),
    OptionSpecification(
      long: "every-token",
      help: "Let interventions at \"all\" positions or -1 act on each generated token too."),
    OptionSpecification(
      long: "ignore-end", help: "Go on behind tokens that end the model's text."),
  ]

  let count: Int
  let sampling: Sampling
  let changesEveryToken: Bool
  let ignoresEnd: Bool

  /// Nil where nothing is to be generated.
  init?(_ parsed: ParsedCommand) throws {
    guard let count = try parsed.integer("generate", in: 1...1_000_000) else { return nil }
    self.count = count
    changesEveryToken = parsed.flag("every-token")
    ignoresEnd = parsed.flag("ignore-end")
    guard let temperature = try parsed.number("temperature") else {
      sampling = .greedy
      return
    }
    guard temperature > 0 else {
      throw UserError(
        "option '--temperature' must be above 0, not '\(temperature)'",
        remedy: "leave it out for the likeliest tokens", status: .usage)
    }
    sampling = .temperature(temperature, seed: try CommonOptions.seed(parsed))
  }

  /// Generates behind a prompt.
  ///
  /// - Parameters:
  ///   - prompt: the result of its kept run.
  ///   - show: called with each piece of text as it comes.
  func run(
    _ engine: Engine, after prompt: ForwardResult, tokens: [Int], changes: ContinuedInterventions?,
    show: (String) throws -> Void
  ) throws -> GeneratedText {
    var generator = try Generator(
      engine, after: prompt, sampling: sampling,
      interventions: { position in changes?(at: position) ?? [] })
    let ends = ignoresEnd ? [] : engine.model.endTokens
    var text = ContinuedText(after: tokens, tokenizer: engine.model.tokenizer)
    var whole = ""
    func give(_ piece: String) throws {
      whole += piece
      if !piece.isEmpty { try show(piece) }
    }
    let (generated, end) = try generator.generate(count, until: ends) { token in
      if !ends.contains(token) { try give(text.append(token)) }
    }
    try give(text.finish())
    return GeneratedText(tokens: generated, text: whole, end: end)
  }
}

/// What a model wrote behind a prompt.
struct GeneratedText {
  /// With the token that ended it, if one did.
  let tokens: [Int]
  /// Without that token.
  let text: String
  let end: Generator.End

  func json(_ tokenizer: any Tokenizer) -> JSONValue {
    [
      "tokens": .array(
        tokens.map { ["id": .integer($0), "text": .string(tokenizer.decode([$0]))] }),
      "text": .string(text), "end": .string(end.rawValue),
    ]
  }
}
