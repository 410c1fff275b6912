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

  /// The first tokens that differ between two answers.
  ///
  /// Where one answer's tokens are the start of the other's, the template's text after an answer
  /// counts as part of both: the model ends the shorter one by writing it.
  ///
  /// - Throws: `UserError` for an answer without tokens, or two with the same.
  public func contrast(right: String, wrong: String) throws -> Contrast {
    for answer in [right, wrong] where answerTokens(for: answer).isEmpty {
      throw UserError(
        "the model's tokenizer gives no tokens for the answer \"\(answer)\"", at: template.place,
        remedy: "choose another label")
    }
    for ending in ["", template.closing] {
      let a = continuation(template.lead + right + ending)
      let b = continuation(template.lead + wrong + ending)
      let common = zip(a, b).prefix { $0 == $1 }.count
      if common < min(a.count, b.count) {
        return Contrast(prefix: Array(a.prefix(common)), right: a[common], wrong: b[common])
      }
    }
    throw UserError(
      "the model's tokenizer gives the answers \"\(right)\" and \"\(wrong)\" the same tokens",
      at: template.place, remedy: "choose another label")
  }
}
