import TensorCore
import Transformer

/// The text of a prompt with the role of each of its bytes, and how tokens inherit them.
struct PromptLayout {
  /// A stretch of bytes with one role.
  struct Span {
    let role: TokenRole
    /// Nil for the query.
    let demonstration: Int?
    let bytes: Range<Int>
  }

  /// A token's role, and which demonstration it belongs to; nil for the query.
  struct TokenLabel: Equatable {
    let role: TokenRole
    let demonstration: Int?
  }

  private(set) var text = ""
  private(set) var spans: [Span] = []
  private let template: Template

  init(demonstrations: [Demonstration], query: String?, template: Template) {
    self.template = template
    for (i, demonstration) in demonstrations.enumerated() {
      append(template.opening, .delimiter, i)
      append(demonstration.input, .demonstrationInput, i)
      append(template.separator, .separator, i)
      append(template.lead + demonstration.answer, .answer, i)
      append(template.closing, .delimiter, i)
    }
    guard let query else { return }
    append(template.opening, .delimiter, nil)
    append(query, .queryInput, nil)
    append(template.separator, .lastSeparator, nil)
  }

  private mutating func append(_ part: String, _ role: TokenRole, _ demonstration: Int?) {
    guard !part.isEmpty else { return }
    let start = spans.last?.bytes.upperBound ?? 0
    text += part
    spans.append(
      Span(role: role, demonstration: demonstration, bytes: start..<start + part.utf8.count))
  }

  /// Whether the text's bytes there are spaces or none.
  func isBlank(_ bytes: Range<Int>) -> Bool {
    text.utf8.dropFirst(bytes.lowerBound).prefix(bytes.count).allSatisfy { $0 == 0x20 }
  }

  /// Where each token ends in the text's bytes.
  ///
  /// Tokenizers that put a space before the text give their tokens more bytes than the text has;
  /// those count as part of the first token.
  ///
  /// - Throws: `UserError` if the tokens do not stand for the text.
  func ends(of tokens: [Int], tokenizer: any Tokenizer) throws -> [Int] {
    let bytes = tokenizer.bytes(of: tokens)
    let added = bytes.count - text.utf8.count
    guard added >= 0, bytes.dropFirst(added).elementsEqual(text.utf8),
      bytes.prefix(added).allSatisfy({ $0 == 0x20 })
    else {
      throw UserError(
        "the model's tokens do not give back the prompt's text", at: template.place,
        remedy: "use only characters that the model's tokenizer knows")
    }
    // The bytes of a token alone may differ from those it has in the sequence (a first piece loses
    // its space), so lengths are taken from prefixes wherever the simple sum is wrong.
    var ends: [Int] = []
    var end = -added
    for token in tokens {
      end += tokenizer.bytes(of: token).count
      ends.append(end)
    }
    if end != text.utf8.count {
      ends = tokens.indices.map { tokenizer.bytes(of: Array(tokens[...$0])).count - added }
    }
    return ends.map { max(0, $0) }
  }

  /// The role of each token.
  ///
  /// A token takes the role of its last byte, with one exception: the token that holds the last byte
  /// of an answer is part of that answer whatever follows in it, for there the model first has the
  /// whole demonstration, and that is where rule vectors are read.
  func labels(ofTokensEndingAt ends: [Int]) -> [TokenLabel] {
    var span = 0
    var start = 0
    return ends.map { end in
      defer { start = end }
      let lastByte = max(0, end - 1)
      var answered: Span?
      while span < spans.count - 1, spans[span].bytes.upperBound <= lastByte {
        if spans[span].role == .answer, spans[span].bytes.upperBound > start {
          answered = spans[span]
        }
        span += 1
      }
      let owner = spans[span].role == .answer ? spans[span] : answered ?? spans[span]
      return TokenLabel(role: owner.role, demonstration: owner.demonstration)
    }
  }
}

extension Template {
  /// The prompt of `episode` as text, for whoever has no tokenizer.
  public func text(of episode: Episode) -> String {
    PromptLayout(
      demonstrations: episode.demonstrations, query: episode.query, template: self
    ).text
  }

  /// The roles of a demonstration's tokens when it follows another one.
  func tokenRoles(of demonstration: Demonstration, tokenizer: any Tokenizer) throws -> [TokenRole] {
    let layout = PromptLayout(
      demonstrations: [demonstration, demonstration], query: nil, template: self)
    let tokens = try tokenizer.encode(layout.text)
    let ends = try layout.ends(of: tokens, tokenizer: tokenizer)
    return layout.labels(ofTokensEndingAt: ends).filter { $0.demonstration == 1 }.map(\.role)
  }
}
