import Foundation
import Testing

@testable import Reports

@Suite struct HTMLPageTests {
  private let html = SamplePage.page.html

  /// The page without its first line, which is not XML.
  private var xml: XML {
    XML(html.split(separator: "\n", maxSplits: 1).last.map(String.init) ?? "")
  }

  @Test func isWellFormed() {
    #expect(html.hasPrefix("<!DOCTYPE html>\n"))
    #expect(xml.isWellFormed)
    #expect(xml.count("main") == 1)
    #expect(xml.count("svg") > 5)
  }

  @Test func needsNothingFromElsewhere() {
    #expect(xml.values("src").allSatisfy { $0.hasPrefix("data:image/png;base64,") })
    #expect(xml.count("script") == 1 && xml.count("link") == 0)
    #expect(!html.contains("url(") && !html.contains("@import") && !html.contains("fetch("))
    let addresses = html.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
    #expect(!addresses.contains("://"))
    #expect(xml.values("href").allSatisfy { $0.hasPrefix("#") || !$0.contains("/") })
  }

  @Test func escapesText() {
    #expect(html.contains("<title>Where is the rule? &lt;b&gt;SmolLM2&lt;/b&gt;</title>"))
    #expect(html.contains("carries a &amp; b &lt; c. &quot;Quoted&quot; text."))
    #expect(html.contains("<code>blocks.14.hook_resid_post</code>"))
    #expect(html.contains("odd ` backtick"))
  }

  @Test func listsItsContents() {
    let ids = xml.values("id")
    #expect(Set(ids).count == ids.count)
    let anchors = xml.values("href").filter { $0.hasPrefix("#") }.map { String($0.dropFirst()) }
    // The table of contents, then links in running text.
    #expect(
      anchors == [
        "what-was-asked", "tested-sentences", "figures", "by-layer", "table",
        "how-it-was-made", "figures", "by-layer", "figures", "figure-shares",
      ])
    #expect(anchors.allSatisfy(ids.contains))
    #expect(ids.contains("table-2"), "a heading behind a line that opens it")
  }

  @Test func onlyPagesWithValuesHaveAScript() {
    let plain = HTMLPage(title: "t", blocks: [.paragraph("p"), .details(summary: "s", [])])
    #expect(!plain.html.contains("<script"))
    let hidden = HTMLPage(
      title: "t", blocks: [.details(summary: "s", [.tokens(SamplePage.tokens)])])
    #expect(hidden.html.components(separatedBy: "<script").count == 2)
  }

  @Test func linksWithinThePage() {
    let text = inline("see `[a](#b)` and [the <grid>](#grid-1), [0.1, 0.2] (#x) [a](b)")
      .map(\.rendered).joined()
    #expect(
      text == "see <code>[a](#b)</code> and <a href=\"#grid-1\">the &lt;grid&gt;</a>, "
        + "[0.1, 0.2] (#x) [a](b)")
    #expect(inline("[a](#b)", hasLinks: false).map(\.rendered) == ["a"])
    let page = HTMLPage(
      title: "t", blocks: [.heading("A", level: 2, id: "mine"), .heading("Mine", level: 3)])
    #expect(page.html.contains("<h2 id=\"mine\">A</h2><h3 id=\"mine-2\">Mine</h3>"))
    #expect(HTMLPage.anchor(of: "Layer 3: one vector?") == "layer-3-one-vector")
  }

  @Test func verdictsHaveASignAndAColour() {
    let table = HTMLTable(
      headers: ["v"], cells: VerdictMark.allCases.map { [.verdict($0)] } + [["plain"]])
    let markup = table.markup.rendered
    for (name, text) in [
      ("supported", "✓ supported"), ("contradicted", "✗ contradicted"),
      ("undecided", "? undecided"), ("not-tested", "– not tested"),
    ] {
      #expect(
        markup.contains("<td class=\"\(name)\"><span class=\"verdict\">\(text)</span></td>"))
      #expect(pageStyle.contains("\n.\(name) { "))
    }
    #expect(markup.contains("<td>plain</td>"))
    #expect(
      HTMLTable(headers: ["v"], cells: [[.verdict(.undecided, "240 `more`")]]).markup.rendered
        .contains("? 240 <code>more</code>"))
    #expect(
      HTMLPage(title: "t", blocks: [.lead(["One.", "Two."])]).html
        .contains("<div class=\"lead\"><p>One.</p><p>Two.</p></div>"))
  }

  @Test func tokensCarryValues() throws {
    let spans = TokenSpans(
      tokens: [
        .init(text: "a", role: "input", value: -2), .init(text: "b", role: "label", value: 1),
        .init(text: "c", role: "last", demonstration: 1, value: 0), .init(text: "d", role: "last"),
      ], valueNote: "effect")
    let xml = XML(spans.markup.rendered)
    // As far on both sides of 0: the darkest blue, half of the way to orange, white.
    #expect(
      xml.values("style").prefix(4) == [
        "background:#054078;color:#ffffff", "background:#e1894d",
        "background:#f7f7f7", "background:#ffffff;color:#57606a",
      ])
    #expect(
      xml.values("title") == [
        "0: input: −2.00", "1: label: 1.00", "2: last, demonstration 2: 0.00", "3: last",
      ])
    #expect(xml.text.contains("Values: −2.00  2.00, effect; grey letters have none"))
    #expect(!SamplePage.tokens.markup.rendered.contains("style="))
  }

  @Test func headingsOfOneNameGetDifferentAnchors() {
    let page = HTMLPage(
      title: "t",
      blocks: [.heading("A b", level: 2), .heading("A b", level: 2), .heading("?", level: 9)])
    #expect(page.html.contains("id=\"a-b\"") && page.html.contains("id=\"a-b-2\""))
    #expect(page.html.contains("<h4 id=\"section\">"))
  }

  @Test func linksToTheFilesOfFigures() {
    let files = SamplePage.page.figures.flatMap { $0.files.map(\.name) }
    #expect(files.count == 18)
    #expect(files.allSatisfy(xml.values("href").contains))
    let hidden = HTMLPage(
      title: "t", blocks: [.details(summary: "s", SamplePage.page.blocks)])
    #expect(hidden.figures.count == 9)
  }

  @Test func alignsNumbers() {
    let table = HTMLTable(headers: ["name", "value"], rows: [["a", "1.5 [1, 2]"], ["b"]])
    #expect(
      table.markup.rendered == "<div class=\"scroll\"><table><thead><tr><th>name</th>"
        + "<th class=\"number\">value</th></tr></thead><tbody><tr><td>a</td>"
        + "<td class=\"number\">1.5 [1, 2]</td></tr><tr><td>b</td>"
        + "<td class=\"number\"></td></tr></tbody></table></div>")
  }

  @Test func showsWhiteSpace() {
    #expect(TokenSpans.visible(" a\n") == "·a⏎")
    #expect(TokenSpans.visible("\r\n\t") == "␍⏎⇥")
    #expect(TokenSpans.visible("") == "∅")
    let markup = SamplePage.tokens.markup.rendered
    #expect(SamplePage.tokens.roles == ["BOS", "item", "arrow", "label", "separator", "query"])
    #expect(markup.contains("title=\"4: separator, demonstration 1\">⏎</span><br/>"))
    #expect(markup.contains("&lt;s&gt;"))
  }
}
