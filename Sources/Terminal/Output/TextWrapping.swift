/// Breaking text into lines.
enum TextWrapping {
  /// `text` in lines of at most `width` columns; a longer word has a line of its own.
  static func lines(_ text: String, width: Int) -> [String] {
    lines(text.split(whereSeparator: \.isWhitespace).map(String.init), width: width)
  }

  /// The same for words that must not be broken, which may contain spaces.
  static func lines(_ words: [String], width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in words {
      if line.isEmpty {
        line = word
      } else if TextWidth.columns(line) + 1 + TextWidth.columns(word) <= width {
        line += " " + word
      } else {
        lines.append(line)
        line = word
      }
    }
    return line.isEmpty ? lines : lines + [line]
  }
}
