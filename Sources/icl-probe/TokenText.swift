import Terminal

/// Token texts for people: spaces and line breaks can be seen, and nothing steers the terminal.
struct TokenText {
  private let space: String
  private let lineBreak: String
  private let tab: String
  /// Stands where a token goes on with a character that begins in an earlier one.
  private let continuation: String

  /// For pictures, which show every character.
  static let forPictures = TokenText(
    device: TerminalDevice(isTerminal: false, usesColour: false, usesUnicode: true))

  init(device: TerminalDevice) {
    (space, lineBreak, tab, continuation) =
      device.usesUnicode ? ("·", "⏎", "⇥", "⋯") : ("_", "\\n", "\\t", "..")
  }

  /// The text of a token that stands alone: bytes that are part of a character are shown as such.
  func visible(bytes: [UInt8]) -> String {
    var shown = ""
    var parser = Unicode.UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var position = 0
    while true {
      switch parser.parseScalar(from: &rest) {
      case .valid(let encoded):
        shown += visible(String(Unicode.UTF8.decode(encoded)))
        position += encoded.count
      case .error(let length):
        for byte in bytes[position..<min(position + length, bytes.count)] {
          shown += "<0x" + String(byte, radix: 16, uppercase: true) + ">"
        }
        position += length
      case .emptyInput: return shown
      }
    }
  }

  /// - Parameters:
  ///   - keepsSpaces: whether spaces stay spaces, for running text.
  ///   - continuesCharacter: whether the token begins inside a character; see `TokenTexts`.
  func visible(
    _ text: String, keepsSpaces: Bool = false, continuesCharacter: Bool = false
  ) -> String {
    var shown = continuesCharacter ? continuation : ""
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
