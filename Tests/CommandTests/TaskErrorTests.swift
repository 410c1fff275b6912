import Testing

/// Task files that cannot be used: the file, the key, what was found, what is allowed.
@Suite struct TaskErrorTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// A categorization task with eighteen words in two classes.
  private func task(
    family: String = "categorization", labels: String = "[\"A\", \"B\"]", more: String = "",
    separator: String = " ->"
  ) -> String {
    func words(_ letter: String) -> String {
      (1...9).map { "\"\(letter)\($0)\"" }.joined(separator: ", ")
    }
    return """
      {"name": "own", "title": "Own", "description": "A test.", "family": "\(family)",\(more)
       "template": {"demonstration": "{input}\(separator) {label}\\n", "query": "{input}\(separator)"},
       "labels": \(labels), "classes": {"x": [\(words("x"))], "y": [\(words("y"))]},
       "dummies": ["d1", "d2", "d3", "d4"]}
      """
  }

  private func patch(_ text: String) throws -> Program.Result {
    let path = try scratch.write("own.json", text)
    let result = try Program.run(
      ["patch", "--task", path, "--probe", "positions", "--shots", "2", "--episodes", "1"],
      folder: scratch)
    #expect(!scratch.entries().contains { $0.hasSuffix("manifest.json") })
    return result
  }

  @Test func unknownTask() throws {
    try Program.run(["tasks", "present-pest"])
      .expectFailure(1, "there is no task or family \"present-pest\"", "multi-demo-rule")
    try Program.run(["patch", "--task", "none/own.json"])
      .expectFailure(1, "none/own.json: cannot be read", "check the path")
  }

  @Test func unknownProbe() throws {
    try Program.run(["patch", "--probe", "position"])
      .expectFailure(2, "\"position\"", "positions")
  }

  @Test func wrongKeys() throws {
    try patch(task(more: "\"lables\": 1,"))
      .expectFailure(1, "own.json: unknown key \"lables\"", "labels", "rename")
    try patch(task(family: "mopping"))
      .expectFailure(1, "own.json, family: found \"mopping\"", "categorization", "choose")
    try patch(task(labels: "\"A\""))
      .expectFailure(1, "own.json, labels: found a text where a list belongs", "mend")
    try patch(task(labels: "[\"A\"]")).expectFailure(1, "found 1 entries, allowed is 2 or more")
    try patch("{").expectFailure(1, "own.json: not valid JSON", "mend the file")
  }

  @Test func labelsAlike() throws {
    try patch(task(labels: "[\"A\", \"A\"]")).expectFailure(1, "\"A\" appears twice", "remove one")
  }

  @Test func tooFewItems() throws {
    let path = try scratch.write("own.json", task())
    try Program.run(["patch", "--task", path, "--shots", "40"], folder: scratch)
      .expectFailure(1, "own.json, classes.", "needed are 2", "fewer demonstrations")
  }
}
