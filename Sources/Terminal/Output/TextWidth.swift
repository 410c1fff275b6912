/// How much room text takes on a terminal.
enum TextWidth {
  /// Columns of `text`: escape sequences and combining marks take none, East Asian wide characters
  /// and pictograms two.
  static func columns(_ text: String) -> Int {
    var count = 0
    var isEscape = false
    for character in text {
      if isEscape {
        // A colour sequence ends with its first letter.
        isEscape = !character.isLetter
      } else if character == "\u{1B}" {
        isEscape = true
      } else {
        count += columns(character)
      }
    }
    return count
  }

  /// How many characters from the start of `text` fit into `width` columns.
  static func prefixCount(_ text: String, within width: Int) -> Int {
    var kept = 0
    var start = ""
    for character in text {
      start.append(character)
      guard columns(start) <= width else { break }
      kept += 1
    }
    return kept
  }

  /// `text` filled with spaces to `width` columns.
  static func padded(_ text: String, to width: Int, right: Bool = false) -> String {
    let space = String(repeating: " ", count: max(0, width - columns(text)))
    return right ? space + text : text + space
  }

  /// `text` cut to `width` columns, with a sign that something is missing.
  static func shortened(_ text: String, to width: Int, sign: String = "…") -> String {
    guard columns(text) > width else { return text }
    var kept = ""
    var used = columns(sign)
    for character in text {
      used += columns(character)
      guard used <= width else { break }
      kept.append(character)
    }
    return kept + sign
  }

  /// `text` without spaces at its end.
  static func trimmedRight(_ text: String) -> String {
    String(text.reversed().drop { $0 == " " }.reversed())
  }

  private static func columns(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    // Nearly all text is ASCII, and looking up properties is slow.
    if scalar.isASCII { return scalar.value < 0x20 || scalar.value == 0x7F ? 0 : 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    if scalar.properties.isEmojiPresentation { return 2 }
    return wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// Blocks of Unicode's East Asian Width classes W and F.
  private static let wideRanges: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,
    0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD,
  ]
}
