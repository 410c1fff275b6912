/// A page in one file that needs nothing else: no scripts, no fonts, no pictures from elsewhere.
public struct HTMLPage: Sendable {
  public var title: String
  /// A line below the title, such as what was run and when.
  public var subtitle: String
  public var blocks: [HTMLBlock]

  public init(title: String, subtitle: String = "", blocks: [HTMLBlock] = []) {
    self.title = title
    self.subtitle = subtitle
    self.blocks = blocks
  }

  public mutating func add(_ block: HTMLBlock) { blocks.append(block) }

  /// The figures on the page, whose files belong beside it.
  public var figures: [Figure] { Self.figures(in: blocks) }

  /// The whole file.
  public var html: String {
    let anchors = headingAnchors
    var heading = 0
    let body = blocks.map { block -> Markup in
      guard case .heading(let text, let level) = block else { return Self.markup(block) }
      defer { heading += 1 }
      return .element("h\(min(max(level, 2), 4))", ["id": anchors[heading]], inline(text))
    }
    let header = Markup.element(
      "header", [:],
      [.element("h1", [:], inline(title))]
        + (subtitle.isEmpty ? [] : [.element("p", ["class": "quiet"], inline(subtitle))]))
    let head = Markup.element(
      "head", [:],
      [
        .element("meta", ["charset": "utf-8"]),
        .element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        .element("title", [:], [.text(title)]),
        .element("style", [:], [.verbatim(pageStyle)]),
      ])
    let main = Markup.element("main", [:], [header] + contents(anchors) + body)
    let page = Markup.element("html", ["lang": "en"], [head, .element("body", [:], [main])])
    return "<!DOCTYPE html>\n\(page.rendered)\n"
  }

  private var headings: [(text: String, level: Int)] {
    blocks.compactMap { block in
      guard case .heading(let text, let level) = block else { return nil }
      return (text: text, level: min(max(level, 2), 4))
    }
  }

  /// One identifier a heading, made of its words, all different.
  private var headingAnchors: [String] {
    var used: Set<String> = []
    return headings.map { heading in
      let words = heading.text.lowercased().split { !($0.isLetter || $0.isNumber) }
      let stem = words.isEmpty ? "section" : words.joined(separator: "-")
      var anchor = stem
      var number = 2
      while !used.insert(anchor).inserted {
        anchor = "\(stem)-\(number)"
        number += 1
      }
      return anchor
    }
  }

  private func contents(_ anchors: [String]) -> [Markup] {
    let listed = zip(headings, anchors).filter { $0.0.level <= 3 }
    guard listed.count > 1 else { return [] }
    let items = listed.map { heading, anchor in
      Markup.element(
        "li", ["class": "level\(heading.level)"],
        [.element("a", ["href": "#\(anchor)"], inline(heading.text))])
    }
    return [
      .element("nav", ["aria-label": "Contents"], [.element("ul", [:], items)])
    ]
  }

  private static func markup(_ block: HTMLBlock) -> Markup {
    switch block {
    case .heading(let text, let level):
      // Only inside details, which the table of contents does not reach.
      .element("h\(min(max(level, 2), 4))", [:], inline(text))
    case .paragraph(let text): .element("p", [:], inline(text))
    case .list(let items):
      .element("ul", [:], items.map { .element("li", [:], inline($0)) })
    case .table(let table): table.markup
    case .figure(let figure): figureMarkup(figure)
    case .picture(let picture): picture.markup
    case .callout(let callout): callout.markup
    case .code(let text): .element("pre", [:], [.element("code", [:], [.text(text)])])
    case .keyValues(let pairs):
      .element(
        "dl", [:],
        pairs.flatMap { pair in
          [
            Markup.element("dt", [:], [.text(pair.key)]),
            Markup.element("dd", [:], [.text(pair.value)]),
          ]
        })
    case .details(let summary, let blocks):
      .element(
        "details", [:], [.element("summary", [:], inline(summary))] + blocks.map(markup))
    case .tokens(let spans): spans.markup
    }
  }

  private static func figureMarkup(_ figure: Figure) -> Markup {
    let links = figure.files.map { file in
      Markup.element("a", ["href": file.name], [.text(file.name)])
    }
    let caption =
      inline(figure.caption + " ") + [
        .element("span", ["class": "files"], [links[0], .text(" · "), links[1]])
      ]
    return .element(
      "figure", ["id": "figure-\(figure.name)"],
      [
        .element("div", ["class": "picture"], [.verbatim(figure.svg)]),
        .element("figcaption", [:], caption),
      ])
  }

  private static func figures(in blocks: [HTMLBlock]) -> [Figure] {
    blocks.flatMap { block -> [Figure] in
      switch block {
      case .figure(let figure): [figure]
      case .details(_, let blocks): figures(in: blocks)
      default: []
      }
    }
  }
}
