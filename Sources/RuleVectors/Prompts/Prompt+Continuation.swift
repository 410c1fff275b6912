import TensorCore
import Transformer

/// What follows the prompt when it is answered: the tokens that an answer has *in its place*, never
/// those of the answer by itself, which a tokenizer may cut in another way.
extension Prompt {
  /// The tokens of `addition` after the prompt.
  ///
  /// - Throws: `UserError` where the addition changes the prompt's own tokens, or its tokens do not
  ///   stand for it. That it takes only spaces at the prompt's end is not refused: a template that
  ///   ends in a space is warned about, and what it asks the model for is the answer after that
  ///   space.
  func continuation(_ addition: String) throws -> [Int] {
    let ids = try continuationInPlace(addition)
    guard ids.flatMap({ tokenizer.bytes(of: $0) }).elementsEqual(addition.utf8) else {
      throw UserError(
        "the model's tokens do not give back the answer \(JSONValue.string(addition).text)",
        at: template.place, remedy: "use only characters that the model's tokenizer knows")
    }
    return ids
  }

  private func continuationInPlace(_ addition: String) throws -> [Int] {
    let own = Array(tokens.dropFirst(roles.first == .begin ? 1 : 0))
    let whole = try tokenizer.encode(text + addition)
    let shared = zip(own, whole).prefix { $0 == $1 }.count
    if shared == own.count { return Array(whole.dropFirst(shared)) }
    if own[shared...].allSatisfy({ tokenizer.bytes(of: $0).allSatisfy { $0 == 0x20 } }),
      let apart = try continuationOfALine(addition)
    {
      return apart
    }
    let merged = whole.indices.contains(shared) ? tokenizer.texts(of: [whole[shared]])[0] : ""
    throw merging(before: template.separator, addition: addition, token: merged)
  }

  /// The tokens of `addition` at the start of a line: no word, and no space that a vocabulary puts
  /// before texts, joins it there.
  private func continuationOfALine(_ addition: String) throws -> [Int]? {
    let line = try tokenizer.encode("\n")
    let whole = try tokenizer.encode("\n" + addition)
    return whole.starts(with: line) ? Array(whole.dropFirst(line.count)) : nil
  }

  /// Checks that no token of a demonstration holds both the end of its separator, other than spaces,
  /// and the start of its answer.
  func checkAnswersStandApart() throws {
    guard let position = mergedPositions.first else { return }
    let answer = demonstrationIndices[position].map { episode.demonstrations[$0].answer } ?? ""
    throw merging(
      before: template.separator, addition: template.lead + answer,
      token: tokenizer.texts(of: [tokens[position]])[0])
  }

  private func merging(before separator: String, addition: String, token: String) -> UserError {
    func quoted(_ text: String) -> String { JSONValue.string(text).text }
    return UserError(
      "label and separator merge into one token: \(quoted(separator)) and \(quoted(addition)) "
        + "give \(quoted(token))", at: "\(template.place), \(template.key)",
      remedy: "write a space or a line break between them")
  }
}
