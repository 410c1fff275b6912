import TensorCore
import Transformer

/// A clean and a corrupted prompt of one length, ready to patch one with the other.
struct GridPrompt {
  /// A set of positions that is patched together.
  struct Cell {
    let label: String
    let positions: [Int]
  }

  let clean: [Int]
  let corrupted: [Int]
  let contrast: Contrast
  /// Cells by the axis that lists positions one by one.
  let positions: [Cell]
  /// Cells by role; empty for pairs, which have none.
  let roles: [Cell]

  func cells(_ axis: GridAxis) -> [Cell] {
    switch axis {
    case .position: positions
    case .role: roles
    case .head: [Cell(label: "all", positions: Array(clean.indices))]
    }
  }
}

/// What the positions of a file of pairs are called: by their number and, where all pairs have the same
/// token there, its text; counted from the end where pairs differ in length.
struct PositionLabels: Sendable {
  /// Nil where pairs differ in length.
  private let texts: [String]?

  init(_ pairs: [PromptPairs.Pair], _ tokenizer: any Tokenizer) throws {
    let clean = try pairs.map { try tokenizer.encode($0.clean) }
    guard let first = clean.first, clean.allSatisfy({ $0.count == first.count }) else {
      texts = nil
      return
    }
    texts = first.indices.map { position in
      clean.allSatisfy { $0[position] == first[position] }
        ? tokenizer.decode([first[position]]).replacing("\n", with: "⏎") : ""
    }
  }

  /// - Parameter begins: tokens before the text.
  func label(_ position: Int, of count: Int, begins: Int) -> String {
    guard let texts else { return String(position - count) }
    guard position >= begins, texts.indices.contains(position - begins) else {
      return String(position)
    }
    let text = texts[position - begins].trimmingPrefix(" ")
    return text.isEmpty ? String(position) : "\(position) \(text)"
  }
}

extension Laboratory {
  /// A user's pair.
  ///
  /// - Throws: `UserError` where the two prompts differ in length, with the place where they part.
  func gridPrompt(_ pair: PromptPairs.Pair, labels: PositionLabels) throws -> GridPrompt {
    let begin = beginToken.map { [$0] } ?? []
    let clean = try begin + engine.model.tokenizer.encode(pair.clean)
    let corrupted = try begin + engine.model.tokenizer.encode(pair.corrupted)
    guard clean.count == corrupted.count else {
      throw UserError(partingWords(clean, corrupted), at: pair.place, remedy: "reword one of them")
    }
    let a = try contrast(pair, pair.clean, Array(clean.dropFirst(begin.count)))
    let b = try contrast(pair, pair.corrupted, Array(corrupted.dropFirst(begin.count)))
    guard a == b else {
      throw UserError(
        "the answers' tokens differ behind the two prompts", at: pair.place,
        remedy: "end both prompts alike")
    }
    let count = clean.count
    return GridPrompt(
      clean: clean + a.prefix, corrupted: corrupted + a.prefix, contrast: a,
      positions: (0..<count).map { position in
        GridPrompt.Cell(
          label: labels.label(position, of: count, begins: begin.count), positions: [position])
      }, roles: [])
  }

  private func partingWords(_ clean: [Int], _ corrupted: [Int]) -> String {
    let same = zip(clean, corrupted).prefix { $0 == $1 }.count
    func word(_ tokens: [Int]) -> String {
      tokens.indices.contains(same)
        ? "\"\(engine.model.tokenizer.decode([tokens[same]]))\"" : "nothing"
    }
    return
      "the clean prompt has \(clean.count) tokens, the corrupted one \(corrupted.count); they part "
      + "at token \(same), \(word(clean)) and \(word(corrupted))"
  }

  /// The first tokens that differ between the two answers, in their place behind the prompt.
  private func contrast(_ pair: PromptPairs.Pair, _ text: String, _ tokens: [Int]) throws
    -> Contrast
  {
    func continuation(_ answer: String, _ key: String) throws -> [Int] {
      let whole = try engine.model.tokenizer.encode(text + answer)
      guard whole.starts(with: tokens), whole.count > tokens.count else {
        throw UserError(
          "the tokenizer merges the end of the prompt with the answer \"\(answer)\"",
          at: "\(pair.place), \(key)", remedy: "end the prompt before the answer's space")
      }
      return Array(whole.dropFirst(tokens.count))
    }
    let right = try continuation(pair.right, "right")
    let wrong = try continuation(pair.wrong, "wrong")
    let common = zip(right, wrong).prefix { $0 == $1 }.count
    guard common < min(right.count, wrong.count) else {
      throw UserError(
        "one answer's tokens are the beginning of the other's", at: pair.place,
        remedy: "choose answers that differ")
    }
    return Contrast(prefix: Array(right.prefix(common)), right: right[common], wrong: wrong[common])
  }

  /// An episode beside its corrupted prompt: under the flipped rule, or, for a mapping, with another
  /// query of the same length, whose answer is the wrong one.
  func gridPrompt(_ task: RuleTask, _ index: Int, _ split: Split) throws -> GridPrompt {
    var episode = try episode(task, index, split)
    let corrupted: Episode
    if task.hasOtherRules {
      corrupted = try episode.flippedRule()
    } else {
      let other = try sampler(task).otherQuery(than: episode)
      episode.wrong = other.right
      corrupted = other
    }
    let prompts = (try prompt(episode, task), try prompt(corrupted, task))
    let contrast = try prompts.0.contrast(right: episode.right, wrong: episode.wrong)
    guard try prompts.1.contrast(right: episode.right, wrong: episode.wrong) == contrast,
      prompts.0.roles == prompts.1.roles,
      prompts.0.demonstrationIndices == prompts.1.demonstrationIndices
    else {
      throw UserError(
        "clean and corrupted prompt of episode \(index) have different token roles, so that they "
          + "cannot be patched position by position", at: task.place,
        remedy: "use labels and words of one token length")
    }
    var positions: [GridPrompt.Cell] = []
    var roles: [(role: TokenRole, positions: [Int])] = []
    for position in prompts.0.tokens.indices {
      let role = prompts.0.roles[position]
      let label =
        (prompts.0.demonstrationIndices[position].map { "\($0 + 1) " } ?? "") + role.rawValue
      if let last = positions.last, last.label == label {
        positions[positions.count - 1] = GridPrompt.Cell(
          label: label, positions: last.positions + [position])
      } else {
        positions.append(GridPrompt.Cell(label: label, positions: [position]))
      }
      if let known = roles.firstIndex(where: { $0.role == role }) {
        roles[known].positions.append(position)
      } else {
        roles.append((role, [position]))
      }
    }
    return GridPrompt(
      clean: prompts.0.tokens + contrast.prefix, corrupted: prompts.1.tokens + contrast.prefix,
      contrast: contrast, positions: positions,
      roles: TokenRole.allCases.compactMap { role in
        roles.first { $0.role == role }.map {
          GridPrompt.Cell(label: role.rawValue, positions: $0.positions)
        }
      })
  }
}
