import Foundation
import Testing

@Suite struct RunCommandTests {
  private func json(_ arguments: String...) throws -> JSON {
    let result = try Program.run(["run", "--json"] + arguments)
    #expect(result.status == 0)
    #expect(result.err.isEmpty, "\(result.err)")
    return try JSON(result.out)
  }

  @Test func followsTheContract() throws {
    let all = try json("--prompt", "The capital of France is", "--top", "3", "--logits", "5,7042,5")
    #expect(all.keys.sorted() == ["logits", "model", "tokens", "top"])
    #expect(all["model"]?.text == "smollm2")
    let tokens = try #require(all["tokens"]).items
    #expect(tokens.allSatisfy { $0.keys.sorted() == ["id", "text"] })
    #expect(tokens.compactMap { $0["text"]?.text }.joined() == "The capital of France is")
    let top = try #require(all["top"]).items
    #expect(top.count == 3)
    #expect(top[0].keys.sorted() == ["id", "logit", "probability", "text"])
    #expect(top[0]["text"]?.text == " Paris")
    #expect(top[0]["id"]?.whole == 7042)
    let logits = try #require(all["logits"])
    #expect(logits.keys.sorted() == ["5", "7042"])
    #expect(logits["7042"]?.number == top[0]["logit"]?.number)
    let probabilities = top.compactMap { $0["probability"]?.number }
    #expect(probabilities == probabilities.sorted(by: >))
    #expect(probabilities.reduce(0, +) < 1)

    let ids = tokens.compactMap { $0["id"]?.whole }.map(String.init).joined(separator: ",")
    let again = try json("--tokens", ids, "--top", "3", "--logits", "5,7042", "--threads", "1")
    #expect(again.value == all.value)
  }

  @Test func readsPromptsLiterallyUnlessAsked() throws {
    let literal = try json("--prompt", "a\\n", "--top", "1")["tokens"]?.items ?? []
    #expect(literal.compactMap { $0["text"]?.text }.joined() == "a\\n")
    let escaped = try json("--prompt", "a\\n", "--escapes", "--top", "1")
    #expect(escaped["tokens"]?[1]?["text"]?.text == "\n")
    #expect(try json("--prompt", "<|im_end|>", "--special", "--top", "1")["tokens"]?.count == 1)
    #expect(try #require(json("--prompt", "<|im_end|>", "--top", "1")["tokens"]).count > 1)
  }

  @Test func recordsActivations() throws {
    let hooks = try #require(
      json(
        "--tokens", "1,2,3", "--top", "1", "--hook", "blocks.4.attn.hook_z", "--hook",
        "ln_final.hook_normalized", "--positions", "-1,0")["hooks"])
    let heads = try #require(hooks["blocks.4.attn.hook_z"])
    #expect(heads["shape"]?.items.map(\.whole) == [2, 9, 64])
    #expect(heads["positions"]?.items.map(\.whole) == [0, 2])
    #expect(heads["values"]?.count == 2 * 9 * 64)
    #expect(hooks["ln_final.hook_normalized"]?["shape"]?.items.map(\.whole) == [2, 576])

    let pattern = try #require(
      json("--tokens", "1,2,3", "--hook", "blocks.0.attn.hook_pattern")["hooks"]?[
        "blocks.0.attn.hook_pattern"])
    #expect(pattern["shape"]?.items.map(\.whole) == [3, 9, 3])
    let row = try #require(pattern["values"]).items.prefix(3).map(\.number)
    #expect(row == [1, 0, 0])
  }

  @Test func appliesInterventions() throws {
    let scratch = try Scratch()
    let neutral = try scratch.write(
      "neutral.json",
      """
      [{"hook": "blocks.10.hook_resid_post", "positions": "all", "edit": {"scale": 1}}]
      """)
    let donor = try scratch.write(
      "donor.json",
      """
      [{"hook": "blocks.29.hook_resid_post", "positions": [-1], "edit": {"donor": {"tokens": [1, 2]}}}]
      """)
    let knockout = try scratch.write(
      "knockout.json",
      "[{\"knockout\": {\"layers\": [0, 29], \"queries\": [-1], \"keys\": [0, 1, 3]}}]")
    let ids = ["--logits", "29,7042", "--top", "1"]
    func logits(_ arguments: [String]) throws -> [Double] {
      let result = try Program.run(["run", "--json"] + ids + arguments)
      #expect(result.status == 0, "\(result.err)")
      let logits = try #require(try JSON(result.out)["logits"])
      return ["29", "7042"].compactMap { logits[$0]?.number }
    }
    func distance(_ a: [Double], _ b: [Double]) -> Double {
      zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
    }
    let prompt = ["--prompt", "The capital of France is"]
    let plain = try logits(prompt)
    func changed(_ file: String) throws -> [Double] {
      try logits(prompt + ["--interventions", file])
    }
    #expect(distance(try changed(neutral), plain) < 1e-3)
    #expect(distance(try changed(knockout), plain) > 0.1)
    // The last position's residual stream is all that the logits see.
    #expect(distance(try changed(donor), try logits(["--tokens", "1,2"])) < 1e-3)
    #expect(distance(try changed(donor), plain) > 1)
  }

  @Test func printsTables() throws {
    let result = try Program.run(
      [
        "run", "--prompt", "Paris is\nthe", "--top", "2", "--show-tokens", "--logits", "5",
        "--hook", "blocks.0.hook_mlp_out", "--positions", "-1",
      ], environment: ["LC_ALL": "C.UTF-8"])
    #expect(result.status == 0)
    let lines = result.out.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.contains("position     id  text"))
    #expect(lines.contains { $0.hasSuffix("·is") })
    #expect(lines.contains { $0.hasSuffix("⏎") })
    #expect(lines.contains { $0.hasPrefix("rank") })
    #expect(lines.contains("blocks.0.hook_mlp_out, shape 1 × 576"))
    #expect(!result.out.contains("\u{1B}"))
  }

  @Test func reportsLostOutput() throws {
    let result = try Program.shell(
      "\"$PROGRAM\" run --tokens 1,2 --json > /dev/full", folder: Scratch())
    result.expectFailure(1, "standard output: cannot be written", "free some space")
  }
}
