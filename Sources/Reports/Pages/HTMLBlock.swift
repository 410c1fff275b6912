/// A part of a page. In running text, words between backticks are set as code, and `[words](#id)`
/// leads to the heading or figure of that identifier.
public indirect enum HTMLBlock: Sendable {
  /// Levels 2 to 4; those of 2 and 3 that are not hidden are listed in the table of contents.
  /// Without an identifier, a heading has `HTMLPage.anchor(of:)`.
  case heading(String, level: Int, id: String? = nil)
  /// What the page has to say, in large plain sentences.
  case lead([String])
  case paragraph(String)
  case list([String])
  case table(HTMLTable)
  case figure(Figure)
  case picture(InlinePicture)
  case callout(Callout)
  case code(String)
  /// Names and values, such as a manifest.
  case keyValues([(key: String, value: String)])
  /// Blocks behind a line that opens them.
  case details(summary: String, [HTMLBlock])
  case tokens(TokenSpans)
}
