import TensorCore
import Terminal
import Transformer

/// The prompt of a command line: a text or token ids.
struct PromptInput {
  static let options = [
    OptionSpecification(
      long: "prompt", short: "p", valueName: "TEXT", help: "Prompt, taken literally."),
    OptionSpecification(
      long: "escapes", help: "Let \\n, \\t and \\\\ in the prompt stand for their characters."),
    OptionSpecification(
      long: "special", help: "Let the text of control tokens become these tokens."),
    CommonOptions.bos,
    OptionSpecification(long: "tokens", valueName: "IDS", help: "Token ids instead of a prompt."),
  ]

  private enum Source {
    case text(String)
    case ids([Int])
  }

  private let source: Source
  private let parsesSpecialTokens: Bool
  private let begin: BeginTokenChoice

  init(_ parsed: ParsedCommand) throws {
    parsesSpecialTokens = parsed.flag("special")
    begin = parsed.string("bos").flatMap(BeginTokenChoice.init(rawValue:)) ?? .auto
    switch (parsed.string("prompt"), try parsed.integers("tokens", in: 0...Int.max)) {
    case (let text?, nil):
      source = .text(
        parsed.flag("escapes") ? try EscapedText.unescaped(text, option: "prompt") : text)
    case (nil, let ids?): source = .ids(ids)
    case (nil, nil):
      throw UserError(
        "there is nothing to run", remedy: "give --prompt TEXT or --tokens IDS", status: .usage)
    case (_?, _?):
      throw UserError(
        "--prompt and --tokens are both given", remedy: "leave out one of them", status: .usage)
    }
    try parsed.refuse("escapes", "special", "bos", unless: "prompt")
  }

  func tokens(for model: LanguageModel) throws -> [Int] {
    switch source {
    case .ids(let ids): ids
    case .text(let text): try tokens(of: text, for: model)
    }
  }

  /// The tokens of a text, as the prompt's own text becomes tokens.
  func tokens(of text: String, for model: LanguageModel) throws -> [Int] {
    try CommonOptions.tokenizer(of: model)
      .encode(text, parsingSpecialTokens: parsesSpecialTokens, begin: begin.token(for: model))
  }

  /// What about the prompt is likely a mistake, or nil.
  var warning: String? {
    guard case .text(let text) = source, text.last == " " else { return nil }
    return "the prompt ends in a space; most tokenizers join it to the next word, which the model "
      + "then can hardly give"
  }

  /// The token with which `answer` begins behind the prompt.
  ///
  /// - Throws: `UserError` where it has none, or changes the prompt's own tokens.
  func firstToken(of answer: String, option: String, for model: LanguageModel) throws -> Int {
    let place = "option '--\(option)'"
    let added: [Int]
    switch source {
    case .ids: added = try CommonOptions.tokenizer(of: model).encode(answer)
    case .text(let text):
      let (prompt, whole) = (
        try tokens(of: text, for: model), try tokens(of: text + answer, for: model)
      )
      guard whole.starts(with: prompt) else {
        throw UserError(
          "the end of the prompt and the answer become one token", at: place,
          remedy: "begin the answer with a space, or end the prompt without one", status: .usage)
      }
      added = Array(whole.dropFirst(prompt.count))
    }
    guard let first = added.first else {
      throw UserError("the answer has no tokens", at: place, remedy: "give some", status: .usage)
    }
    if added.count > 1 {
      Notes.write(
        "\(place): the answer has \(added.count) tokens; the first is taken, "
          + JSONValue.string(model.tokenizer.decode([first])).text)
    }
    return first
  }
}
