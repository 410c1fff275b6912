/// The tokens of a prompt, coloured by role, with white space made visible.
public struct TokenSpans: Sendable {
  public struct Token: Sendable {
    public var text: String
    public var role: String
    /// Which demonstration it belongs to, counted from 0 (shown from 1); nil for none.
    public var demonstration: Int?
    /// What an experiment found for this token, shown as its tint; nil for none.
    public var value: Double?

    public init(
      text: String, role: String, demonstration: Int? = nil, value: Double? = nil
    ) {
      self.text = text
      self.role = role
      self.demonstration = demonstration
      self.value = value
    }
  }

  public var tokens: [Token]
  public var caption: String?
  /// What the values are, told in the legend.
  public var valueNote: String?
  /// Digits of the values.
  public var digits: Int

  public init(
    tokens: [Token], caption: String? = nil, valueNote: String? = nil, digits: Int = 2
  ) {
    self.tokens = tokens
    self.caption = caption
    self.valueNote = valueNote
    self.digits = digits
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
    let range = range
    var text: [Markup] = []
    var demonstration: Int?
    for (index, token) in tokens.enumerated() {
      if let current = token.demonstration, current != demonstration {
        text.append(.element("sup", [:], [.text(String(current + 1))]))
      }
      demonstration = token.demonstration
      var attributes = [
        (name: "class", value: look(token.role)),
        (name: "title", value: words(token, at: index)),
      ]
      if let range {
        attributes.append((name: "style", value: Self.tint(token.value, in: range)))
      }
      text.append(
        .element("span", attributes: attributes, [.text(Self.visible(token.text))]))
      if token.text.contains(where: \.isNewline) { text.append(.element("br")) }
    }
    let legend = roles.map { role in
      Markup.element("span", ["class": look(role)], [.text(role)])
    }
    let caption = caption.map { [Markup.element("figcaption", [:], inline($0))] } ?? []
    return .element(
      "figure", ["class": range == nil ? "tokens" : "tokens valued"],
      [
        .element("p", ["class": "prompt"], text),
        .element("p", ["class": "legend"], [.text("Roles: ")] + legend),
      ] + (range.map { [valueLegend($0)] } ?? []) + caption)
  }

  /// What the pointer shows: `5: label, demonstration 2: 0.43`.
  private func words(_ token: Token, at index: Int) -> String {
    let place = token.demonstration.map { ", demonstration \($0 + 1)" } ?? ""
    let number = Self.finite(token.value).map { ": \(formatted($0, digits: digits))" } ?? ""
    return "\(index): \(token.role)\(place)\(number)"
  }

  private static func finite(_ value: Double?) -> Double? {
    value.flatMap { $0.isFinite ? $0 : nil }
  }

  /// What the tints cover, as far below 0 as above; nil where no token has a value.
  private var range: ClosedRange<Double>? {
    let values = tokens.compactMap { Self.finite($0.value) }
    return values.isEmpty ? nil : ColourScale.diverging.range(over: values)
  }

  private static func tint(_ value: Double?, in range: ClosedRange<Double>) -> String {
    guard let value = finite(value) else {
      return "background:\(ChartStyle.paper);color:\(ChartStyle.quiet)"
    }
    let share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
    let colour = ColourScale.diverging.colour(share)
    let ink = ColourScale.wantsDarkText(colour) ? "" : ";color:\(ChartStyle.paper)"
    return "background:\(ColourScale.hexadecimal(colour))\(ink)"
  }

  private func valueLegend(_ range: ClosedRange<Double>) -> Markup {
    let stops = (0...6).map {
      ColourScale.hexadecimal(ColourScale.diverging.colour(Double($0) / 6))
    }
    let bar = Markup.element(
      "span",
      [
        "class": "scale",
        "style": "background:linear-gradient(90deg,\(stops.joined(separator: ",")))",
      ])
    let low = formatted(range.lowerBound, digits: digits)
    let high = formatted(range.upperBound, digits: digits)
    let note = valueNote.map { inline(" \($0)") } ?? []
    let isPartial = tokens.contains { Self.finite($0.value) == nil }
    return .element(
      "p", ["class": "legend"],
      [.text("Values: \(low) "), bar, .text(" \(high)\(note.isEmpty ? "" : ",")")] + note
        + (isPartial ? [.text("; grey letters have none")] : []))
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
