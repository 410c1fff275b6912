import Testing

@Suite struct TasksCommandTests {
  private func run(_ arguments: String..., environment: [String: String] = [:]) throws
    -> Program.Result
  {
    let result = try Program.run(["tasks"] + arguments, environment: environment)
    #expect(result.status == 0, "\(result.err)")
    return result
  }

  @Test func listsTasks() throws {
    let all = try JSON(run("--json").out).items
    let names = all.compactMap { $0["name"]?.text }
    #expect(names.count >= 40 && names.contains("multi-demo-rule"))
    let families = all.compactMap { $0["family"]?.text }
    #expect(families.count == names.count && families == families.sorted())
    let text = try run().out
    for task in all {
      let name = try #require(task["name"]?.text)
      #expect(text.contains(name))
      #expect(text.contains(try #require(task["title"]?.text)))
    }
    let rule = try #require(all.first { $0["name"]?.text == "multi-demo-rule" })
    #expect(rule["labels"]?.items.compactMap(\.text) == ["A", "B", "C", "D"])
    #expect(rule["family"]?.text == "categorization" && rule["kind"]?.text == "categorization")
    #expect(rule["formats"]?.items.compactMap(\.text).first == "arrow/letters")
    let letters = try JSON(run("letters", "--json").out).items
    #expect(letters.allSatisfy { $0["family"]?.text == "letters" } && letters.count >= 8)
    #expect(try run("--task", "letters").out == run("letters").out)
  }

  @Test func showsTokensWithRoles() throws {
    let task = try JSON(run("multi-demo-rule", "--shots", "3", "--json").out)
    let example = try #require(task["example"])
    let tokens = try #require(example["tokens"]).items
    let text = try #require(example["text"]?.text)
    #expect(tokens.compactMap { $0["text"]?.text }.joined() == text)
    let answers = tokens.filter { $0["role"]?.text == "answer" }
    #expect(answers.map { $0["demonstration"]?.whole } == [0, 1, 2])
    #expect(tokens.last?["role"]?.text == "last-separator")
    #expect(task["digest"]?.text?.count == 64)

    let shown = try run(
      "multi-demo-rule", "--shots", "3", environment: ["LC_ALL": "C.UTF-8"])
    #expect(shown.out.contains(text))
    #expect(shown.out.contains("demonstration-input"))
    #expect(shown.out.contains("⏎"))
    #expect(!shown.out.contains("\u{1B}"))
    #expect(try run("multi-demo-rule", "--shots", "3", "--seed", "1").out != shown.out)
  }

  @Test func showsATaskInAnotherFormat() throws {
    let task = try JSON(
      run("two-languages", "--shots", "1", "--format", "french/question", "--json").out)
    let text = try #require(task["example"]?["text"]?.text)
    #expect(text.hasPrefix("Q: ") && text.hasSuffix("\nA:"))
    try Program.run(["tasks", "two-languages", "--format", "german"])
      .expectFailure(1, "no template, label set or language \"german\"", "french")
    try Program.run(["tasks", "two-languages", "--format", "a//b"])
      .expectFailure(2, "empty name", "--format")
    try Program.run(["tasks", "letters", "--format", "question"])
      .expectFailure(2, "--format does nothing without a task")
    try Program.run(["tasks", "letters", "--episodes", "3"])
      .expectFailure(2, "--episodes does nothing without check")
    try Program.run(["tasks", "letters", "--task", "numeric"]).expectFailure(2, "one task")
  }

  @Test func needsNoModel() throws {
    let nowhere = ["ICL_PROBE_MODELS": "/nowhere"]
    let shown = try run("country-capital", "--shots", "2", environment: nowhere)
    #expect(shown.out.contains(" ->"))
    #expect(shown.out.contains("held-out"))
    #expect(shown.err.split(separator: "\n").count == 1)
    #expect(shown.err.contains("icl-probe models fetch smollm2"))
    let json = try JSON(run("country-capital", "--json", environment: nowhere).out)
    #expect(json["example"]?["tokens"]?.value == .null)
    #expect(json["example"]?["text"]?.text?.contains("->") == true)
  }

  @Test func showsTheFamiliesOfATask() throws {
    #expect(try run("country-capital").out.contains("mapping"))
    #expect(try run("multi-demo-rule", "--shots", "0").out.contains("query-input"))
  }
}
