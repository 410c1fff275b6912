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
        a very long    12345
        name of
        something
        b c                1

        """)
  }

  @Test func becomesBlocksWhereItIsTooNarrow() {
    let table = TextTable(
      headers: ["patched", "layer", "recovery", "first of all tokens", "n"],
      rows: [
        ["answers, flipped into clean", "14 (best)", "−12.81 [−13.74, −11.87]", "0.50", "64"],
        ["", "3", "0.10 [0.00, 0.21]", "", "64"],
        [
          "a/very/long/path/of-a-file/model.gguf", "1", "1234567890123456789012345678901234567890",
          "x", "1",
        ],
      ])
    #expect(
      table.text(width: 40) == """
        answers, flipped into clean
          layer          14 (best)
          recovery       −12.81 [−13.74, −11.87]
          first of all tokens
            0.50
          n              64
        patched
          layer          3
          recovery       0.10 [0.00, 0.21]
          n              64
        a/very/long/path/of-a-file/model.gguf
          layer          1
          recovery
            123456789012345678901234567890123456
            7890
          first of all tokens
            x
          n              1

        """)
  }

  @Test(arguments: [16, 24, 40, 60, 80])
  func losesNothingAtAnyWidth(width: Int) {
    let table = TextTable(
      headers: ["name", "family", "title", "items", "labels"],
      rows: [
        [
          "multi-demo-rule", "classification", "Fruit or animal, by the rule of the demonstrations",
          "1234", "A B",
        ],
        ["country-capital", "mapping", "日本の首都", "7", "Paris Berlin"],
      ])
    let text = table.text(width: width)
    for line in text.split(separator: "\n") { #expect(TextWidth.columns(String(line)) <= width) }
    let letters = { (text: String) in text.filter { $0.isLetter || $0.isNumber } }
    for cell in table.rows.joined() where TextWidth.columns(cell) <= width / 2 {
      // In whatever line, whole words stay whole where they fit.
      for word in cell.split(separator: " ") where word.count <= 8 {
        #expect(text.contains(word), "\(word) at \(width)")
      }
    }
    let sorted = { (text: String) in letters(text).sorted() }
    let missing = sorted(table.rows.joined().joined()).filter { !sorted(text).contains($0) }
    #expect(missing.isEmpty)
    #expect(!text.contains("…"))
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
