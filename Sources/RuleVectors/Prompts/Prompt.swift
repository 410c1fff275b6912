import TensorCore
import Transformer

/// An episode as a model reads it: tokens, each with a role and the demonstration it belongs to.
///
/// The whole text is tokenised at once, so that the tokens are those of the real prompt; roles are
/// then found from the bytes that each token stands for. A token takes the role of its last byte,
/// but the token that holds the last byte of an answer is part of the answer.
public struct Prompt: Sendable {
  public let episode: Episode
  public let template: Template
  public let text: String
  public let tokens: [Int]
  /// One for each token.
  public let roles: [TokenRole]
  /// Which demonstration each token belongs to; nil for the query and a begin token.
  public let demonstrationIndices: [Int?]
  /// The last token of each demonstration's answer, in order.
  public let answerPositions: [Int]
  /// The token with the last byte of each demonstration's input: a control for `answerPositions`.
  public let inputPositions: [Int]
  /// The token with the last byte of the query.
  public let queryPosition: Int
  let tokenizer: any Tokenizer
  /// Tokens that hold the end of a demonstration's separator and the start of its answer.
  let mergedPositions: [Int]

  public var lastPosition: Int { tokens.count - 1 }

  /// - Parameter beginToken: put before the text, for models that expect it.
  /// - Throws: `UserError` if the tokens do not stand for the text, or if two answers, or an answer
  ///   and the end of the query, fall within one token.
  public init(
    _ episode: Episode, template: Template, tokenizer: any Tokenizer, beginToken: Int? = nil
  ) throws {
    let layout = PromptLayout(
      demonstrations: episode.demonstrations, query: episode.query, template: template)
    let begin = beginToken.map { [$0] } ?? []
    let encoded = try tokenizer.encode(layout.text)
    let ends = try layout.ends(of: encoded, tokenizer: tokenizer)
    let labels = layout.labels(ofTokensEndingAt: ends)

    /// The token that holds the last byte of a stretch.
    func position(of span: PromptLayout.Span) -> Int {
      begin.count + (ends.firstIndex { $0 >= span.bytes.upperBound } ?? ends.count - 1)
    }
    func positions(of role: TokenRole) -> [Int] {
      layout.spans.filter { $0.role == role }.map(position)
    }
    mergedPositions = layout.spans.filter { $0.role == .answer }.compactMap { span in
      let start = span.bytes.lowerBound
      guard let token = ends.firstIndex(where: { $0 > start }) else { return nil }
      let tokenStart = token > 0 ? ends[token - 1] : 0
      return layout.isBlank(tokenStart..<start) ? nil : begin.count + token
    }
    self.episode = episode
    self.template = template
    self.tokenizer = tokenizer
    text = layout.text
    tokens = begin + encoded
    roles = begin.map { _ in .begin } + labels.map(\.role)
    demonstrationIndices = begin.map { _ in nil } + labels.map(\.demonstration)
    answerPositions = positions(of: .answer)
    inputPositions = positions(of: .demonstrationInput)
    queryPosition = positions(of: .queryInput).first ?? tokens.count - 1

    let ordered = answerPositions + [tokens.count - 1]
    guard zip(ordered, ordered.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw UserError(
        "one token of the model holds parts of several demonstrations", at: template.place,
        remedy: "put more text between answers and inputs in the template")
    }
  }

  /// All tokens with a role, in order.
  public func positions(of role: TokenRole) -> [Int] { roles.indices.filter { roles[$0] == role } }
}
