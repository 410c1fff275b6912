import Foundation
import Testing

/// A name is a task or a family: one command runs every task of it.
@Suite(.timeLimit(.minutes(3))) struct TaskFamilyTests {
  let laboratory: TinyLaboratory
  private var scratch: Scratch { laboratory.scratch }

  /// A family of three: one that has too few items, and two that run.
  init() throws {
    laboratory = try TinyLaboratory()
    for name in ["first", "second", "third"] {
      var text = try scratch.read("tasks/small.json").replacing("small", with: name)
      if name == "second" {
        text.replace(/"first": \[[^\]]*\]/, with: "\"first\": [\"ba\", \"be\", \"bi\"]")
      }
      if name == "third" {
        text = text.replacing(
          "\"labels\": [\"A\", \"B\"]",
          with: """
            "class_count": 3, "label_sets": [{"name": "letters", "labels": ["A", "B", "C"]},
             {"name": "digits", "labels": ["1", "2", "3"]}]
            """
        ).replacing(
          "\"second\": [",
          with:
            "\"last\": [\"xa\", \"xe\", \"xi\", \"xo\", \"xu\", \"za\", \"ze\", \"zi\"], \"second\": ["
        )
      }
      try FileManager.default.createDirectory(
        atPath: scratch.file("tasks/pets"), withIntermediateDirectories: true)
      try scratch.write("tasks/pets/\(name).json", text)
    }
  }

  private func family(_ command: [String]) throws -> Program.Result {
    try laboratory.succeed(command + ["--model", "tiny", "--task", "pets"])
  }

  @Test func everyTaskHasARunOfItsOwn() throws {
    let command = ["eval", "--shots", "0,6", "--episodes", "3", "--out", "all"]
    let json = try JSON(family(command + ["--json"]).out)
    let runs = try #require(json["runs"]).items
    #expect(runs.compactMap { $0["task"]?.text } == ["first", "third"])
    #expect(runs.compactMap { $0["run"]?.text } == ["all/first", "all/third"])
    #expect(runs.allSatisfy { ($0["rows"]?.count ?? 0) > 0 })
    let skipped = try #require(json["skipped"]).items
    #expect(skipped.compactMap { $0["task"]?.text } == ["second"])
    #expect(
      skipped.first?["reason"]?.text?.contains("classes.first: found 2 held-out items") == true)
    #expect(!scratch.entries().contains("all/second"))

    let again = try family(command)
    #expect(again.err.contains("task 1 of 3: first") && again.err.contains("task 3 of 3: third"))
    #expect(again.err.contains("skipping second: "))
    #expect(again.err.components(separatedBy: "this run is finished").count == 3)
    #expect(again.out.contains("Skipped: second ("))
    #expect(again.out.contains("Report: icl-probe aggregate all/first all/third"))
    let report = try laboratory.succeed(["aggregate", "all/first", "all/third", "--out", "r"])
    #expect(report.status == 0)
  }

  /// With three labels the chance of the gate is one in three.
  @Test func patchesThreeClasses() throws {
    let result = try family([
      "patch", "--probe", "sweep", "--probe", "singles", "--shots", "6", "--episodes", "2", "--out",
      "p",
    ])
    #expect(result.err.contains("skipping second: "))
    let rows = try laboratory.lines("p/third").map { try JSON(String($0)) }
    #expect(try laboratory.hasWholeUnits("p/third"))
    let baseline = rows.filter { $0["probe"]?.text == "baseline" }
    #expect(baseline.count == 2 && baseline.allSatisfy { $0["candidates"]?.whole == 3 })
    _ = try laboratory.succeed(["aggregate", "p/third", "--out", "r"])
    let summary = try JSON(scratch.read("r/summary.json"))
    #expect(summary["gate"]?[0]?["candidates"]?.whole == 3)
    #expect(try scratch.read("r/index.html").contains("guess among 3"))
  }

  @Test func formatsAreRunsOfTheirOwn() throws {
    func run(_ format: [String], _ out: String) throws -> JSON {
      _ = try laboratory.succeed(
        [
          "eval", "--model", "tiny", "--task", "third", "--shots", "2", "--episodes", "2", "--out",
          out,
        ] + format)
      return try JSON(scratch.read("\(out)/manifest.json"))
    }
    #expect(try run([], "a")["identity"]?["format"]?.text == "letters")
    #expect(try run(["--format", "digits"], "b")["identity"]?["format"]?.text == "digits")
    try Program.run(
      [
        "eval", "--model", "tiny", "--task", "third", "--shots", "2", "--episodes", "2", "--out",
        "a", "--format", "digits",
      ], folder: scratch
    ).expectFailure(1, "a: the folder holds another run: format is \"letters\" there")
    // A family's tasks that lack the format are skipped; where none has it, nothing runs.
    let runs = try JSON(
      family([
        "eval", "--shots", "2", "--episodes", "2", "--out", "f", "--format", "digits", "--json",
      ]).out)
    #expect(runs["runs"]?.items.compactMap { $0["task"]?.text } == ["third"])
    let none = try Program.run(
      ["eval", "--model", "tiny", "--task", "pets", "--format", "roman"], folder: scratch)
    #expect(none.status == 1 && none.err.contains("none of the 3 tasks can be run"))
  }

  @Test func checksAreKeptAndGoOn() throws {
    let command = ["tasks", "check", "--shots", "0,6", "--episodes", "4", "--out", "check.jsonl"]
    let json = try JSON(family(command + ["--json"]).out)
    #expect(json["file"]?.text == "check.jsonl")
    let results = try #require(json["results"]).items
    try #require(results.compactMap { $0["task"]?.text } == ["first", "second", "third"])
    #expect(results[0]["points"]?.items.compactMap { $0["shots"]?.whole } == [0, 6])
    let left = try #require(results[1]["left_out"]?[0])
    #expect(left["shots"]?.whole == 6 && left["reason"]?.text?.contains("found 2") == true)
    #expect(results[2]["points"]?[0]?["candidates"]?.whole == 3)
    #expect(results[0]["answers"]?["count"]?.whole == 2)
    let lines = try scratch.read("check.jsonl")
    #expect(lines.split(separator: "\n").count == 3)

    // What is there is not asked again, half a line is dropped, and what is missing is added.
    let half = lines.split(separator: "\n").prefix(2).joined(separator: "\n") + "\n{\"version\": "
    try scratch.write("check.jsonl", half)
    let text = try family(command)
    #expect(try scratch.read("check.jsonl") == lines)
    #expect(text.out.contains("Left out:") && text.out.contains("Results: check.jsonl"))
    _ = try family(["tasks", "check", "--shots", "0", "--episodes", "2"])
    #expect(scratch.entries().contains { $0.hasPrefix("runs/task-checks/tiny-") })
    try Program.run(["tasks", "check", "--shots", "1,1"], folder: scratch).expectFailure(2, "twice")
  }
}
