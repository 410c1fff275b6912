import TensorCore

/// The tokens whose logits tell the right answer from the wrong ones, and the tokens that all answers
/// have before these.
public struct Contrast: Sendable, Equatable {
  /// Tokens to append to the prompt before reading logits; empty where the answers differ at once.
  public let prefix: [Int]
  public let right: Int
  public let wrong: Int
  /// Of the further labels, where there are more than two.
  public let others: [Int]

  public init(prefix: [Int], right: Int, wrong: Int, others: [Int] = []) {
    self.prefix = prefix
    self.right = right
    self.wrong = wrong
    self.others = others
  }
}

extension Prompt {
  /// The contrast of the episode's own candidates.
  public func contrast() throws -> Contrast {
    try contrast(right: episode.right, wrong: episode.wrong)
  }

  /// The first tokens that differ between two answers in their place.
  ///
  /// The template's text after an answer counts as part of both: where one answer's tokens are the
  /// start of the other's, the model ends the shorter one by writing it.
  ///
  /// Further labels of the episode are told apart at the same token.
  ///
  /// - Throws: `UserError` for two answers with the same tokens, where labels and separator merge into
  ///   one token, be it in a demonstration, and where one of more than two labels begins as another
  ///   does.
  public func contrast(right: String, wrong: String) throws -> Contrast {
    try checkAnswersStandApart()
    let a = try continuation(template.lead + right + template.closing)
    let b = try continuation(template.lead + wrong + template.closing)
    let common = zip(a, b).prefix { $0 == $1 }.count
    guard common < min(a.count, b.count) else {
      throw UserError(
        "the model's tokenizer gives the answers \"\(right)\" and \"\(wrong)\" the same tokens",
        at: template.place, remedy: "choose another label")
    }
    let prefix = Array(a.prefix(common))
    var told = [a[common], b[common]]
    let labels = episode.rule.labels
    for label in labels where labels.count > 2 && label != right && label != wrong {
      let tokens = try continuation(template.lead + label + template.closing)
      guard tokens.starts(with: prefix), tokens.count > common, !told.contains(tokens[common])
      else {
        throw UserError(
          "the model's tokenizer does not tell the labels \"\(right)\", \"\(wrong)\" and "
            + "\"\(label)\" apart at one token", at: template.place,
          remedy: "choose labels that begin with different tokens")
      }
      told.append(tokens[common])
    }
    return Contrast(
      prefix: prefix, right: told[0], wrong: told[1], others: Array(told.dropFirst(2)))
  }
}
