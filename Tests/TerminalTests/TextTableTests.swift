import Testing

@testable import Terminal

@Suite struct TextTableTests {
  @Test func alignsColumns() {
    let table = TextTable(
      headers: ["task", "accuracy", "日本"],
      rows: [["antonyms", "0.81 [0.74, 0.87]", "é"], ["x", "−0.5", "中文字"], ["y", "–"]])
    #expect(
      table.text() == """
        task               accuracy  日本
        ────────  ─────────────────  ──────
        antonyms  0.81 [0.74, 0.87]  é
        x                      −0.5  中文字
        y                         –

        """)
  }

  /// Numbers keep to the right, and terminals without the signs get their ASCII words.
  @Test func writesSignsAsTheTerminalCan() {
    let table = TextTable(
      headers: ["task", "effect"], rows: [["x", "−0.5 [−∞, ∞]"], ["y", "–"], ["z", "∞"]])
    #expect(
      table.text() == """
        task        effect
        ────  ────────────
        x     −0.5 [−∞, ∞]
        y                –
        z                ∞

        """)
    #expect(
      table.text(usesUnicode: false) == """
        task            effect
        ----  ----------------
        x     -0.5 [-inf, inf]
        y                    -
        z                  inf

        """)
  }

  @Test func keepsWithinAWidth() {
    let table = TextTable(
      headers: ["name", "n"], rows: [["a very long name of something", "12345"], ["b\nc", "1"]])
    #expect(
      table.text(width: 20, usesUnicode: false) == """
        name               n
        -------------  -----
        a very long ~  12345
        b c                1

        """)
  }

  @Test func measuresStyledText() {
    let style = TextStyle(isEnabled: true)
    #expect(TextWidth.columns(style.colour("abc", .red)) == 3)
    #expect(style.bold("") == "")
    #expect(TextStyle.plain.bold("a") == "a")
    let table = TextTable(headers: ["a", "b"], rows: [[style.bold("x"), "y"], ["long", "z"]])
    #expect(table.text().contains("\u{1B}[1mx\u{1B}[0m     y"))
  }

  @Test func hasNothingToShow() {
    #expect(TextTable(headers: [], rows: []).text() == "")
    #expect(TextTable(headers: ["a"], rows: []).text() == "a\n─\n")
  }
}
