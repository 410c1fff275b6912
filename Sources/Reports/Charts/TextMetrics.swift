/// How much room text takes in a sans-serif face, estimated: a picture that must look right in any
/// program cannot ask for the font. The estimates are generous.
enum TextMetrics {
  /// How much wider bold letters are.
  static let bold = 1.12

  /// Width in pixels.
  static func width(_ text: String, size: Double) -> Double {
    text.unicodeScalars.reduce(0) { $0 + share($1) } * size
  }

  /// `text` in lines of at most `limit` pixels, broken at spaces.
  static func lines(_ text: String, size: Double, limit: Double) -> [String] {
    var lines: [String] = []
    for word in text.split(whereSeparator: \.isWhitespace) {
      if let last = lines.last, width("\(last) \(word)", size: size) <= limit {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  /// `text` cut to `limit` pixels.
  static func shortened(_ text: String, size: Double, limit: Double) -> String {
    guard width(text, size: size) > limit else { return text }
    var kept = text
    while !kept.isEmpty, width(kept + "…", size: size) > limit { kept.removeLast() }
    return kept + "…"
  }

  /// Widths as in DejaVu Sans, the widest of the common faces, but for the minus sign: with that of
  /// Arial more maps have room for their numbers.
  private static func share(_ scalar: Unicode.Scalar) -> Double {
    switch scalar {
    case "i", "j", "l", "I", ".", ",", ":", ";", "'", "|", "!": 0.32
    case "f", "r", "t", " ", "(", ")", "[", "]", "/", "-", "\"": 0.4
    case "m", "w", "M", "W", "@", "%", "—": 0.95
    case "A"..."Z": 0.72
    case "−": 0.58
    case "\u{300}"..."\u{36F}": 0
    case "\u{2E80}"..."\u{FFFF}", "\u{1F000}"...: 1
    default: 0.62
    }
  }
}
