/// A page in one file that needs nothing else: no fonts, pictures or scripts from elsewhere. Where
/// it has figures or prompts, a script inside shows their values under the pointer; it works without.
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

  /// The identifier of a heading: its words, in small letters. Where several headings of a page
  /// have the same words, the second one's ends in `-2`.
  public static func anchor(of heading: String) -> String {
    let words = heading.lowercased().split { !($0.isLetter || $0.isNumber) }
    return words.isEmpty ? "section" : words.joined(separator: "-")
  }

  /// The whole file.
  public var html: String {
    var blocks = blocks
    var used = Set(figures.map(Self.anchor(of:)))
    Self.name(&blocks, used: &used)
    let header = Markup.element(
      "header", [:],
      [.element("h1", [:], inline(title, hasLinks: false))]
        + (subtitle.isEmpty ? [] : [.element("p", ["class": "quiet"], inline(subtitle))]))
    let head = Markup.element(
      "head", [:],
      [
        .element("meta", ["charset": "utf-8"]),
        .element("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
        .element("title", [:], [.text(title)]),
        .element("style", [:], [.verbatim(pageStyle)]),
      ])
    let main = Markup.element(
      "main", [:], [header] + Self.contents(blocks) + blocks.map(Self.markup))
    let script =
      Self.hasValues(blocks) ? [Markup.element("script", [:], [.verbatim(pageScript)])] : []
    let page = Markup.element(
      "html", ["lang": "en"], [head, .element("body", [:], [main] + script)])
    return "<!DOCTYPE html>\n\(page.rendered)\n"
  }

  /// Gives every heading an identifier of its own.
  private static func name(_ blocks: inout [HTMLBlock], used: inout Set<String>) {
    for index in blocks.indices {
      switch blocks[index] {
      case .heading(let text, let level, let id):
        let stem = id ?? anchor(of: text)
        var name = stem
        var number = 2
        while !used.insert(name).inserted {
          name = "\(stem)-\(number)"
          number += 1
        }
        blocks[index] = .heading(text, level: min(max(level, 2), 4), id: name)
      case .details(let summary, var hidden):
        name(&hidden, used: &used)
        blocks[index] = .details(summary: summary, hidden)
      default: break
      }
    }
  }

  /// Headings of the first two levels, or where these are too many to look through of the first.
  private static func contents(_ blocks: [HTMLBlock]) -> [Markup] {
    let headings = blocks.count { if case .heading(_, 2...3, _) = $0 { true } else { false } }
    let items = blocks.compactMap { block -> Markup? in
      guard case .heading(let text, let level, let id?) = block, level <= (headings > 60 ? 2 : 3)
      else { return nil }
      return .element(
        "li", ["class": "level\(level)"],
        [.element("a", ["href": "#\(id)"], inline(text, hasLinks: false))])
    }
    guard items.count > 1 else { return [] }
    return [
      .element("nav", ["aria-label": "Contents"], [.element("ul", [:], items)])
    ]
  }

  private static func markup(_ block: HTMLBlock) -> Markup {
    switch block {
    case .heading(let text, let level, let id):
      .element("h\(level)", ["id": id ?? anchor(of: text)], inline(text, hasLinks: false))
    case .lead(let sentences):
      .element("div", ["class": "lead"], sentences.map { .element("p", [:], inline($0)) })
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

  private static func anchor(of figure: Figure) -> String { "figure-\(figure.name)" }

  private static func figureMarkup(_ figure: Figure) -> Markup {
    let links = figure.files.map { file in
      Markup.element("a", ["href": file.name], [.text(file.name)])
    }
    let caption =
      inline(figure.caption + " ") + [
        .element("span", ["class": "files"], [links[0], .text(" · "), links[1]])
      ]
    return .element(
      "figure", ["id": anchor(of: figure)],
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

  /// Whether anything on the page tells its values under the pointer.
  private static func hasValues(_ blocks: [HTMLBlock]) -> Bool {
    blocks.contains { block in
      switch block {
      case .figure, .tokens: true
      case .details(_, let blocks): hasValues(blocks)
      default: false
      }
    }
  }
}
