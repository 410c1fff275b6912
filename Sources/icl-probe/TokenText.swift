import Terminal

/// Token texts for people: spaces and line breaks can be seen, and nothing steers the terminal.
struct TokenText {
  private let space: String
  private let lineBreak: String
  private let tab: String

  init(device: TerminalDevice) {
    (space, lineBreak, tab) = device.usesUnicode ? ("·", "⏎", "⇥") : ("_", "\\n", "\\t")
  }

  /// - Parameter keepsSpaces: whether spaces stay spaces, for running text.
  func visible(_ text: String, keepsSpaces: Bool = false) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case " ": shown += keepsSpaces ? " " : space
      case "\n": shown += lineBreak
      case "\t": shown += tab
      default:
        switch scalar.properties.generalCategory {
        // A direction mark or a zero-width space is as invisible as a control character.
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse:
          shown += "\\u{\(String(scalar.value, radix: 16))}"
        default: shown.unicodeScalars.append(scalar)
        }
      }
    }
    return shown
  }
}
