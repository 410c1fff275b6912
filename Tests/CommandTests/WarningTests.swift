import Foundation
import Testing

/// What is allowed but likely a mistake, and text that is not UTF-8.
@Suite struct WarningTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func task(demonstration: String, query: String) throws -> String {
    func words(_ letter: String) -> String {
      (1...9).map { "\"\(letter)\($0)\"" }.joined(separator: ", ")
    }
    return try scratch.write(
      "own.json",
      """
      {"name": "own", "title": "Own", "description": "A test.", "family": "categorization",
       "template": {"demonstration": "\(demonstration)", "query": "\(query)"},
       "labels": ["A", "B"], "classes": {"x": [\(words("x"))], "y": [\(words("y"))]},
       "dummies": ["d1", "d2", "d3", "d4"]}
      """)
  }

  private func warnings(_ arguments: String...) throws -> [String] {
    let result = try Program.run(arguments, folder: scratch)
    #expect(result.status == 0, "\(result.err)")
    return result.err.split(separator: "\n").map(String.init)
  }

  @Test func templates() throws {
    let good = try task(demonstration: "{input} -> {label}\\n", query: "{input} ->")
    #expect(try warnings("tasks", good, "--shots", "2").isEmpty)
    let space = try task(demonstration: "{input} -> {label}\\n", query: "{input} -> ")
    for lines in [
      try warnings("tasks", space, "--shots", "2"),
      try warnings("tasks", space, "--shots", "2", "--json"),
    ] {
      #expect(lines.count == 1, "\(lines)")
      #expect(lines[0].hasPrefix("icl-probe: warning: ") && lines[0].contains("ends in a space"))
      #expect(lines[0].contains("own.json, template.query"))
    }
    let brace = try task(demonstration: "{inptu}{input} -> {label}\\n", query: "{inptu}{input} ->")
    let lines = try warnings("tasks", brace, "--shots", "2")
    #expect(lines.count == 1 && lines[0].contains("has a \"{\" apart from {input} and {label}"))
  }

  @Test func answersThatCannotBeScored() throws {
    // "://" is one token of SmolLM2, and so is ":" with the label "//".
    let path = try task(demonstration: "{input}:{label}\\n", query: "{input}:")
    let text = try scratch.read("own.json")
      .replacing("[\"A\", \"B\"]", with: "[\"//\", \"/\"]")
    try scratch.write("own.json", text)
    let lines = try warnings("tasks", path, "--shots", "2")
    #expect(lines.count == 1, "\(lines)")
    #expect(lines.first?.contains("label and separator merge into one token") == true, "\(lines)")
    try Program.run(
      ["eval", "--task", path, "--shots", "2", "--episodes", "1"], folder: scratch
    )
    .expectFailure(1, "own.json, template: label and separator merge", "write a space")
  }

  @Test func prompts() throws {
    let lines = try warnings("run", "--prompt", "dog -> ", "--json")
    #expect(lines.count == 1 && lines[0].contains("warning: the prompt ends in a space"))
    #expect(try warnings("run", "--prompt", "dog ->").isEmpty)
    #expect(try warnings("run", "--prompt", "dog ->\n").isEmpty)
  }

  @Test func argumentsThatAreNotUTF8() throws {
    for line in [
      #""$PROGRAM" run --prompt $'caf\xe9'"#, #""$PROGRAM" tasks $'\xff.json'"#,
      #""$PROGRAM" run --prompt a --model $'\xc3'"#,
    ] {
      try Program.shell(line, folder: scratch).expectFailure(2, "is not valid UTF-8", "UTF-8")
    }
    try Program.shell(#""$PROGRAM" run --prompt $'caf\xe9'"#, folder: scratch)
      .expectFailure(2, "argument 3, \"caf\u{FFFD}\"")
  }

  @Test func inputThatIsNotUTF8() throws {
    let result = try Program.shell(
      #"printf '"a"\n"caf\xe9"\n' | "$PROGRAM" tokenize"#, folder: scratch)
    #expect(result.status == 1 && result.out.split(separator: "\n").count == 1)
    #expect(result.err.contains("standard input, line 2: not valid UTF-8"), "\(result.err)")
    #expect(result.err.count(where: \.isNewline) == 1)
  }

  @Test func charactersOfSeveralTokens() throws {
    let result = try Program.run(
      ["run", "--prompt", "a 龘!", "--show-tokens", "--top", "1"],
      environment: ["LC_ALL": "C.UTF-8"])
    let shown = result.out.prefix(
      upTo: result.out.range(of: "rank")?.lowerBound ?? result.out.endIndex)
    #expect(shown.contains("龘") && shown.contains("⋯") && !shown.contains("\u{FFFD}"), "\(shown)")
    // What may come next is shown by itself: 218 is the last byte of an emoji.
    let candidate = try Program.run(
      ["run", "--prompt", "a", "--logits", "218"], environment: ["LC_ALL": "C.UTF-8"])
    #expect(candidate.out.contains("<0x") && !candidate.out.contains("\u{FFFD}"))
    let json = try JSON(Program.run(["run", "--prompt", "a 龘!", "--json"]).out)
    let texts = json["tokens"]?.items.compactMap { $0["text"]?.text } ?? []
    #expect(texts.joined() == "a 龘!" && texts.contains(""))

    let path = try task(demonstration: "{input} → {label}\\n", query: "{input} →")
    try scratch.write("own.json", try scratch.read("own.json").replacing("\"x", with: "\"龘"))
    let example = try JSON(Program.run(["tasks", path, "--shots", "4", "--json"]).out)["example"]
    let parts = example?["tokens"]?.items.compactMap { $0["text"]?.text } ?? []
    #expect(parts.joined() == example?["text"]?.text && parts.contains(""))
    let table = try Program.run(
      ["tasks", path, "--shots", "4"], environment: ["LC_ALL": "C.UTF-8"]
    ).out
    #expect(table.contains("⋯") && !table.contains("\u{FFFD}"))
  }
}
