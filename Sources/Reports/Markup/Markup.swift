/// A piece of SVG or HTML as a value. Text and attributes are escaped when it is rendered, so that
/// no content can become markup.
public struct Markup: Sendable {
  private indirect enum Content: Sendable {
    case text(String)
    case element(name: String, attributes: [(name: String, value: String)], children: [Markup])
    case verbatim(String)
  }

  private let content: Content

  /// Characters, escaped.
  public static func text(_ text: String) -> Markup { Markup(content: .text(text)) }

  /// Markup that is already rendered.
  public static func verbatim(_ markup: String) -> Markup { Markup(content: .verbatim(markup)) }

  public static func element(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ children: [Markup] = []
  ) -> Markup {
    element(name, attributes: attributes.map { (name: $0.key, value: $0.value) }, children)
  }

  public static func element(
    _ name: String, attributes: [(name: String, value: String)], _ children: [Markup] = []
  ) -> Markup {
    Markup(content: .element(name: name, attributes: attributes, children: children))
  }

  /// Well-formed XML that HTML reads alike.
  public var rendered: String {
    var output = ""
    render(into: &output)
    return output
  }

  /// Elements that HTML wants without an end tag, and shapes that never have content.
  private static let empty: Set<String> = [
    "br", "circle", "hr", "img", "line", "meta", "path", "polygon", "polyline", "rect",
  ]

  private func render(into output: inout String) {
    switch content {
    case .text(let text): output += escaped(text)
    case .verbatim(let markup): output += markup
    case .element(let name, let attributes, let children):
      output += "<\(name)"
      for attribute in attributes {
        output += " \(attribute.name)=\"\(escaped(attribute.value))\""
      }
      if children.isEmpty, Self.empty.contains(name) {
        output += "/>"
        return
      }
      output += ">"
      for child in children { child.render(into: &output) }
      output += "</\(name)>"
    }
  }
}

/// `text` with everything replaced that means something in XML or is not allowed there.
public func escaped(_ text: String) -> String {
  var result = ""
  result.reserveCapacity(text.utf8.count)
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "'": result += "&#39;"
    case "\t", "\n": result.unicodeScalars.append(scalar)
    case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
