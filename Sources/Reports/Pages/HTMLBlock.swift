/// A part of a page. In running text, words between backticks are set as code.
public indirect enum HTMLBlock: Sendable {
  /// Levels 2 to 4; those of 2 and 3 are listed in the table of contents.
  case heading(String, level: Int)
  case paragraph(String)
  case list([String])
  case table(HTMLTable)
  case figure(Figure)
  case picture(InlinePicture)
  case callout(Callout)
  case code(String)
  /// Names and values, such as a manifest.
  case keyValues([(key: String, value: String)])
  /// Blocks behind a line that opens them.
  case details(summary: String, [HTMLBlock])
  case tokens(TokenSpans)
}

/// A table whose columns of numbers are aligned to the right.
public struct HTMLTable: Sendable {
  public var headers: [String]
  public var rows: [[String]]
  public var caption: String?

  public init(headers: [String], rows: [[String]], caption: String? = nil) {
    self.headers = headers
    self.rows = rows
    self.caption = caption
  }

  var markup: Markup {
    let isNumeric = headers.indices.map { column in
      let cells = rows.compactMap { column < $0.count ? $0[column] : nil }.filter { !$0.isEmpty }
      return cells.contains(where: Self.isNumber)
        && cells.allSatisfy { Self.isNumber($0) || $0 == "–" }
    }
    let row = { (name: String, cells: [String]) -> Markup in
      .element(
        "tr", [:],
        headers.indices.map { column in
          let text = inline(column < cells.count ? cells[column] : "")
          return isNumeric[column]
            ? .element(name, ["class": "number"], text) : .element(name, [:], text)
        })
    }
    let table = Markup.element(
      "table", [:],
      (caption.map { [.element("caption", [:], inline($0))] } ?? []) + [
        .element("thead", [:], [row("th", headers)]),
        .element("tbody", [:], rows.map { row("td", $0) }),
      ])
    return .element("div", ["class": "scroll"], [table])
  }

  /// Numbers with signs, intervals and p-values.
  private static func isNumber(_ cell: String) -> Bool {
    cell.contains(where: \.isNumber)
      && cell.allSatisfy { $0.isNumber || " \u{A0}.,+-−–±×%∞[]()<>=pe".contains($0) }
  }
}

/// A tested sentence and what the data say about it.
public struct Callout: Sendable {
  public var verdict: Claim.Verdict
  /// The sentence tested.
  public var sentence: String
  /// The numbers behind the verdict.
  public var evidence: String

  public init(verdict: Claim.Verdict, sentence: String, evidence: String) {
    self.verdict = verdict
    self.sentence = sentence
    self.evidence = evidence
  }

  var markup: Markup {
    .element(
      "div", ["class": "callout \(verdict.rawValue)"],
      [
        .element("p", ["class": "verdict"], [.text(verdict.words)]),
        .element("p", ["class": "sentence"], inline(sentence)),
        .element("p", [:], inline(evidence)),
      ])
  }
}

extension Claim.Verdict {
  /// The word and a sign, so that the verdict does not hang on a colour.
  fileprivate var words: String {
    switch self {
    case .supported: "✓ Supported"
    case .contradicted: "✗ Contradicted"
    case .undecided: "? Undecided"
    }
  }
}

/// Running text with words between backticks as code.
func inline(_ text: String) -> [Markup] {
  let parts = text.split(separator: "`", omittingEmptySubsequences: false)
  // An odd number of backticks has no partner for the last one.
  guard parts.count % 2 == 1 else { return [.text(text)] }
  return parts.enumerated().filter { !$1.isEmpty }.map { index, part in
    index % 2 == 1 ? .element("code", [:], [.text(String(part))]) : .text(String(part))
  }
}
