import Terminal

/// Token texts for people: spaces and line breaks can be seen, and nothing steers the terminal.
struct TokenText {
  private let space: String
  private let lineBreak: String
  private let tab: String

  /// For pictures, which show every character.
  static let forPictures = TokenText(
    device: TerminalDevice(isTerminal: false, usesColour: false, usesUnicode: true))

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
        shown += visible(scalar)
      }
    }
    return shown
  }

  /// Text of several lines: these stay, other characters that steer the terminal do not.
  func running(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { shown, scalar in
      shown += scalar == "\n" || scalar == "\t" ? String(scalar) : visible(scalar)
    }
  }

  private func visible(_ scalar: Unicode.Scalar) -> String {
    switch scalar.properties.generalCategory {
    // A direction mark or a zero-width space is as invisible as a control character.
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse:
      "\\u{\(String(scalar.value, radix: 16))}"
    default: String(scalar)
    }
  }
}
