/// Bold, dim and coloured text, or plain text where that is not wanted.
public struct TextStyle: Sendable, Equatable {
  public enum Colour: Int, Sendable, CaseIterable {
    case red = 31
    case green = 32
    case yellow = 33
    case blue = 34
    case magenta = 35
    case cyan = 36
  }

  /// Whether escape sequences are written at all.
  public let isEnabled: Bool

  public init(isEnabled: Bool) { self.isEnabled = isEnabled }

  /// Leaves all text as it is.
  public static let plain = TextStyle(isEnabled: false)

  public func bold(_ text: String) -> String { wrap(text, code: 1) }
  public func dim(_ text: String) -> String { wrap(text, code: 2) }
  public func colour(_ text: String, _ colour: Colour) -> String {
    wrap(text, code: colour.rawValue)
  }

  /// The word of a tested sentence's verdict: `supported`, `contradicted` or another.
  public func verdict(_ word: String) -> String {
    switch word {
    case "supported": colour(word, .green)
    case "contradicted": colour(word, .red)
    default: colour(word, .yellow)
    }
  }

  private func wrap(_ text: String, code: Int) -> String {
    isEnabled && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
