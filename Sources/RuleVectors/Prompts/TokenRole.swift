/// What a token of a prompt is part of.
public enum TokenRole: String, Sendable, CaseIterable {
  /// A begin-of-sequence token, which stands for no text.
  case begin
  case demonstrationInput = "demonstration-input"
  /// Between a demonstration's input and its answer.
  case separator
  /// A demonstration's answer with the space before it: where rule vectors are read.
  case answer
  /// After a demonstration's answer, and before an input where the template opens with text.
  case delimiter
  case queryInput = "query-input"
  /// After the query's input: its last token is the prompt's last position.
  case lastSeparator = "last-separator"
}
