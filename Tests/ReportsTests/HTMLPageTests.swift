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
    #expect(xml.values("src").isEmpty)
    #expect(xml.count("script") == 0 && xml.count("link") == 0)
    #expect(!html.contains("url(") && !html.contains("@import"))
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
    #expect(
      anchors == [
        "what-was-asked", "tested-sentences", "figures", "by-layer", "table",
        "how-it-was-made",
      ])
    #expect(anchors.allSatisfy(ids.contains))
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
    #expect(files.count == 10)
    #expect(files.allSatisfy(xml.values("href").contains))
    let hidden = HTMLPage(
      title: "t", blocks: [.details(summary: "s", SamplePage.page.blocks)])
    #expect(hidden.figures.count == 5)
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
