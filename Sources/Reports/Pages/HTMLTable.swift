/// A table whose columns of numbers are aligned to the right. One that is wider than the page
/// scrolls in its own box.
public struct HTMLTable: Sendable {
  public struct Cell: Sendable, ExpressibleByStringLiteral {
    public var text: String
    /// Nil for a plain cell.
    public var verdict: VerdictMark?

    public init(_ text: String) { self.text = text }

    public init(stringLiteral text: String) { self.init(text) }

    /// A verdict by its sign, its colour and `text`, or its own word where that is nil.
    public static func verdict(_ verdict: VerdictMark, _ text: String? = nil) -> Cell {
      var cell = Cell(text ?? verdict.word)
      cell.verdict = verdict
      return cell
    }
  }

  public var headers: [String]
  /// Missing cells are empty.
  public var rows: [[Cell]]
  public var caption: String?

  public init(headers: [String], cells: [[Cell]], caption: String? = nil) {
    self.headers = headers
    self.rows = cells
    self.caption = caption
  }

  /// A table without verdicts.
  public init(headers: [String], rows: [[String]], caption: String? = nil) {
    self.init(headers: headers, cells: rows.map { $0.map { Cell($0) } }, caption: caption)
  }

  /// The table in Markdown, without signs and colours.
  public var markdown: String {
    ([headers, headers.map { _ in "---" }] + rows.map { $0.map(\.text) })
      .map { "| \($0.joined(separator: " | ")) |\n" }.joined()
  }

  var markup: Markup {
    let isNumeric = headers.indices.map { column in
      let cells = rows.compactMap { column < $0.count ? $0[column].text : nil }
        .filter { !$0.isEmpty }
      return cells.contains(where: Self.isNumber)
        && cells.allSatisfy { Self.isNumber($0) || $0 == "–" }
    }
    let row = { (name: String, cells: [Cell]) -> Markup in
      .element(
        "tr", [:],
        headers.indices.map { column in
          Self.markup(
            column < cells.count ? cells[column] : "", name, isNumeric: isNumeric[column])
        })
    }
    let table = Markup.element(
      "table", [:],
      (caption.map { [.element("caption", [:], inline($0))] } ?? []) + [
        .element("thead", [:], [row("th", headers.map { Cell($0) })]),
        .element("tbody", [:], rows.map { row("td", $0) }),
      ])
    return .element("div", ["class": "scroll"], [table])
  }

  private static func markup(_ cell: Cell, _ name: String, isNumeric: Bool) -> Markup {
    if let verdict = cell.verdict {
      return .element(
        name, ["class": verdict.rawValue],
        [.element("span", ["class": "verdict"], [.text(verdict.sign + " ")] + inline(cell.text))])
    }
    let text = inline(cell.text)
    return isNumeric ? .element(name, ["class": "number"], text) : .element(name, [:], text)
  }

  /// Numbers with signs, intervals and p-values.
  private static func isNumber(_ cell: String) -> Bool {
    cell.contains(where: \.isNumber)
      && cell.allSatisfy { $0.isNumber || " \u{A0}.,+-−–±×%∞[]()<>=pe".contains($0) }
  }
}
