/// Breaking text into lines.
enum TextWrapping {
  /// `text` in lines of at most `width` columns. A word that is longer is broken.
  static func lines(_ text: String, width: Int) -> [String] {
    lines(text.split(whereSeparator: \.isWhitespace).map(String.init), width: width)
  }

  /// The same for words that stay together where they fit, which may contain spaces.
  static func lines(_ words: [String], width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in words.flatMap({ pieces(of: $0, width: max(1, width)) }) {
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

  /// A word that is wider than a line in as many parts as it takes: at its spaces, behind the signs
  /// between the parts of paths and names, and only then anywhere.
  private static func pieces(of word: String, width: Int) -> [String] {
    guard TextWidth.columns(word) > width else { return [word] }
    let parts = word.split(separator: " ")
    guard parts.count == 1 else { return lines(parts.map(String.init), width: width) }
    var pieces: [String] = []
    var rest = word[...]
    while TextWidth.columns(String(rest)) > width {
      // Escape sequences take no columns, and a piece takes at least one character.
      let fitting = max(1, TextWidth.prefixCount(String(rest), within: width))
      let end = rest.index(rest.startIndex, offsetBy: fitting)
      let sign = rest[..<end].lastIndex { "/-_,.=|".contains($0) }
      let cut = sign.map { rest.index(after: $0) } ?? end
      pieces.append(String(rest[..<cut]))
      rest = rest[cut...]
    }
    return pieces + (rest.isEmpty ? [] : [String(rest)])
  }

  /// A command in lines of at most `width` columns that a shell reads as one, broken at spaces
  /// outside quotes; further lines are indented by `indent`.
  static func shellLines(_ command: String, width: Int, indent: String = "    ") -> [String] {
    guard TextWidth.columns(command) > width else { return [command] }
    var words: [String] = [""]
    var quote: Character?
    for character in command {
      if let open = quote {
        if character == open { quote = nil }
      } else if character == " " {
        words.append("")
        continue
      } else if character == "'" || character == "\"" {
        quote = character
      }
      words[words.count - 1].append(character)
    }
    var lines: [String] = []
    for word in words {
      if let last = lines.last, TextWidth.columns(last + word) + 3 <= width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append((lines.isEmpty ? "" : indent) + word)
      }
    }
    return lines.enumerated().map { $0 < lines.count - 1 ? $1 + " \\" : $1 }
  }
}
