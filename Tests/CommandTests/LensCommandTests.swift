import Foundation
import Testing

@Suite struct LensCommandTests {
  @Test func followsAnAnswerThroughTheBlocks() throws {
    let scratch = try Scratch()
    let prompt = ["--prompt", "The capital of France is"]
    let result = try Program.run(
      ["lens"] + prompt
        + ["--answer", " Paris", "--versus", " London", "--json", "--out", scratch.file("l.svg")])
    #expect(result.status == 0, "\(result.err)")
    let all = try JSON(result.out)
    let lens = try #require(all["lens"]).items
    #expect(lens.count == 30 && lens.allSatisfy { $0["positions"]?.count == 5 })
    let run = try JSON(
      Program.run(["run"] + prompt + ["--top", "1", "--logits", "7042", "--json"]).out)
    let end = try #require(lens[29]["positions"]?[4]?["answer"])
    #expect(end["id"]?.whole == 7042 && end["rank"]?.whole == 1)
    let logit = try #require(run["logits"]?["7042"]?.number)
    #expect(abs(try #require(end["logit"]?.number) - logit) < 1e-3)

    let attribution = try #require(all["attribution"])
    let other = try #require(attribution["versus"]?["id"]?.whole)
    let parts = try #require(attribution["parts"]).items
    #expect(parts.count == 1 + 30 * 10)
    let both = try JSON(
      Program.run(["run"] + prompt + ["--logits", "7042,\(other)", "--json"]).out)
    let rival = try #require(both["logits"]?["\(other)"]?.number)
    let sum = parts.compactMap { $0["value"]?.number }.reduce(0, +)
    #expect(abs(sum - (logit - rival)) < 1e-3)
    #expect(scratch.entries() == ["l-parts.svg", "l.svg"])
    #expect(try scratch.read("l.svg").contains("probability of ·Paris"))
  }

  @Test func printsTables() throws {
    let result = try Program.run(
      ["lens", "--tokens", "504,3575,282", "--answer", " the", "--top", "3"],
      environment: ["LC_ALL": "C.UTF-8"])
    #expect(result.status == 0, "\(result.err)")
    let lines = result.out.split(separator: "\n").map(String.init)
    #expect(lines.first?.contains("layer") == true && lines[0].contains("logit of ·the"))
    #expect(lines.count == 2 + 30 + 1 + 2 + 3)
  }

  @Test func faultsAreNamed() throws {
    try Program.run(["lens", "--prompt", "a", "--versus", " b"]).expectFailure(2, "--answer")
    try Program.run(["lens", "--prompt", "a", "--out", "x.png"]).expectFailure(2, ".svg")
    try Program.run(["lens", "--prompt", "The Par", "--answer", "is"])
      .expectFailure(2, "become one token")
    try Program.run(["lens"]).expectFailure(2, "nothing to run")
  }
}
