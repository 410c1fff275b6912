import RuleVectors
import TensorCore
import Terminal
import Transformer

/// A prompt with the role of each token, for scripts and for people.
struct PromptExample {
  let episode: Episode
  let text: String
  /// Nil where the model is not there to tokenise.
  let prompt: Prompt?
  /// The texts of its tokens; none where there is no prompt.
  private let tokenTexts: TokenTexts?

  /// - Parameter beginToken: put before the text, for models that expect it.
  init(
    _ episode: Episode, of task: RuleTask, tokenizer: (any Tokenizer)?, beginToken: Int?
  ) throws {
    self.episode = episode
    text = task.template.text(of: episode)
    let prompt = try tokenizer.map {
      try Prompt(episode, template: task.template, tokenizer: $0, beginToken: beginToken)
    }
    self.prompt = prompt
    tokenTexts = tokenizer.flatMap { tokenizer in
      prompt.map { TokenTexts($0.tokens, tokenizer: tokenizer) }
    }
  }

  /// Why answers to the prompt cannot be scored, or nil.
  var problem: String? {
    do {
      _ = try prompt?.contrast()
      return nil
    } catch {
      return "\(error)"
    }
  }

  private func tokenText(_ position: Int) -> String { tokenTexts?.texts[position] ?? "" }

  var json: JSONValue {
    [
      "split": .string(episode.split.rawValue), "episode": .integer(episode.index),
      "seed": .integer(Int(episode.seed)), "shots": .integer(episode.demonstrations.count),
      "text": .string(text), "right": .string(episode.right), "wrong": .string(episode.wrong),
      "tokens": prompt.map { prompt in
        .array(
          prompt.tokens.indices.map { position in
            [
              "id": .integer(prompt.tokens[position]), "text": .string(tokenText(position)),
              "role": .string(prompt.roles[position].rawValue),
              "demonstration":
                prompt.demonstrationIndices[position].map(JSONValue.integer) ?? .null,
            ]
          })
      } ?? .null,
    ]
  }

  func text(device: TerminalDevice) -> String {
    let heading =
      "Example: \(episode.split.rawValue) episode \(episode.index) of seed \(episode.seed), right "
      + "answer \(episode.right), wrong answer \(episode.wrong)"
    let parts = [device.style.bold(heading), coloured(device), table(device)]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
  }

  /// The prompt as it reads, each token in its role's colour.
  private func coloured(_ device: TerminalDevice) -> String {
    let writer = TokenText(device: device)
    func lines(_ text: String, _ styled: (String) -> String) -> String {
      // Styles end at the line's end, so that a pager can show any line alone.
      text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { styled(writer.visible(String($0), keepsSpaces: true)) }.joined(separator: "\n")
    }
    guard let prompt else { return lines(text) { $0 } }
    return prompt.tokens.indices.map { position in
      lines(tokenText(position)) { Self.styled($0, prompt.roles[position], device.style) }
    }.joined()
  }

  /// The tokens one by one; the same without colours.
  private func table(_ device: TerminalDevice) -> String {
    guard let prompt else { return "" }
    let writer = TokenText(device: device)
    func shown(_ position: Int) -> String {
      writer.visible(
        tokenText(position), continuesCharacter: tokenTexts?.continues[position] ?? false)
    }
    return TextTable(
      headers: ["position", "text", "id", "role", "demonstration"],
      rows: prompt.tokens.indices.map { position in
        let role = prompt.roles[position]
        return [
          "\(position)", Self.styled(shown(position), role, device.style),
          "\(prompt.tokens[position])", Self.styled(role.rawValue, role, device.style),
          prompt.demonstrationIndices[position].map(String.init) ?? "",
        ]
      }, alignments: [.right, .left, .right, .left, .right]
    ).text(on: device)
  }

  private static func styled(_ text: String, _ role: TokenRole, _ style: TextStyle) -> String {
    switch role {
    case .begin, .delimiter: style.dim(text)
    case .demonstrationInput: style.colour(text, .blue)
    case .separator: style.colour(text, .cyan)
    case .answer: style.colour(text, .green)
    case .queryInput: style.colour(text, .magenta)
    case .lastSeparator: style.colour(text, .yellow)
    }
  }
}
