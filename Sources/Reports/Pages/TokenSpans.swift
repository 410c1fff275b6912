/// The tokens of a prompt, coloured by role, with white space made visible.
public struct TokenSpans: Sendable {
  public struct Token: Sendable {
    public var text: String
    public var role: String
    /// Which demonstration it belongs to, counted from 0 (shown from 1); nil for none.
    public var demonstration: Int?

    public init(text: String, role: String, demonstration: Int? = nil) {
      self.text = text
      self.role = role
      self.demonstration = demonstration
    }
  }

  public var tokens: [Token]
  public var caption: String?

  public init(tokens: [Token], caption: String? = nil) {
    self.tokens = tokens
    self.caption = caption
  }

  /// Number of looks in the page's style; further roles start again from the first.
  static let lookCount = 8

  /// Roles in order of appearance.
  var roles: [String] {
    tokens.reduce(into: []) { roles, token in
      if !roles.contains(token.role) { roles.append(token.role) }
    }
  }

  var markup: Markup {
    let roles = roles
    let look = { (role: String) in
      "token look\((roles.firstIndex(of: role) ?? 0) % Self.lookCount)"
    }
    var text: [Markup] = []
    var demonstration: Int?
    for (index, token) in tokens.enumerated() {
      if let current = token.demonstration, current != demonstration {
        text.append(.element("sup", [:], [.text(String(current + 1))]))
      }
      demonstration = token.demonstration
      let place = token.demonstration.map { ", demonstration \($0 + 1)" } ?? ""
      text.append(
        .element(
          "span",
          ["class": look(token.role), "title": "\(index): \(token.role)\(place)"],
          [.text(Self.visible(token.text))]))
      if token.text.contains(where: \.isNewline) { text.append(.element("br")) }
    }
    let legend = roles.map { role in
      Markup.element("span", ["class": look(role)], [.text(role)])
    }
    let caption = caption.map { [Markup.element("figcaption", [:], inline($0))] } ?? []
    return .element(
      "figure", ["class": "tokens"],
      [
        .element("p", ["class": "prompt"], text),
        .element("p", ["class": "legend"], [.text("Roles: ")] + legend),
      ] + caption)
  }

  /// `text` with signs for what would not be seen.
  static func visible(_ text: String) -> String {
    if text.isEmpty { return "∅" }
    return text.unicodeScalars.map { scalar in
      switch scalar {
      case "\n": "⏎"
      case "\r": "␍"
      case "\t": "⇥"
      case " ": "·"
      default: String(scalar)
      }
    }.joined()
  }
}
