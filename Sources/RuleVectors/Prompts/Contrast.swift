import TensorCore

/// The two tokens whose logits tell the right answer from the wrong one, and the tokens that both
/// answers have before these.
public struct Contrast: Sendable, Equatable {
  /// Tokens to append to the prompt before reading logits; empty where the answers differ at once.
  public let prefix: [Int]
  public let right: Int
  public let wrong: Int
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
  /// - Throws: `UserError` for two answers with the same tokens, and where labels and separator merge
  ///   into one token, be it in a demonstration.
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
    return Contrast(prefix: Array(a.prefix(common)), right: a[common], wrong: b[common])
  }
}
