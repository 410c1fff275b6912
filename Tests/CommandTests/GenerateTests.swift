import Foundation
import Testing

/// `icl-probe run --generate`.
@Suite struct GenerateTests {
  private func run(_ arguments: String...) throws -> JSON {
    let result = try Program.run(["run", "--json", "--top", "1"] + arguments)
    #expect(result.status == 0, "\(result.err)")
    return try JSON(result.out)
  }

  @Test func eachTokenIsTheNextRunsLikeliest() throws {
    let prompt = "The capital of France is"
    let generated = try #require(
      run("--prompt", prompt, "--generate", "4", "--ignore-end")["generated"])
    let tokens = try #require(generated["tokens"]).items.compactMap { $0["id"]?.whole }
    #expect(tokens.count == 4 && generated["end"]?.text == "count")
    var all = try #require(run("--prompt", prompt)["tokens"]).items.compactMap { $0["id"]?.whole }
    for token in tokens {
      let ids = all.map(String.init).joined(separator: ",")
      #expect(try run("--tokens", ids)["top"]?[0]?["id"]?.whole == token)
      all.append(token)
    }
    #expect(generated["text"]?.text?.hasPrefix(" Paris") == true)
  }

  @Test func seedsDecideWhatIsDrawn() throws {
    func text(_ seed: String) throws -> String? {
      try run(
        "--prompt", "Once", "--generate", "12", "--temperature", "1.5", "--seed", seed)[
          "generated"]?["text"]?.text
    }
    #expect(try text("1") == text("1"))
    #expect(try text("1") != text("2"))
  }

  @Test func interventionsActOnEveryTokenIfAsked() throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      "zero.json",
      #"[{"hook": "blocks.29.hook_resid_post", "positions": [-1], "edit": {"scale": -1}}]"#)
    func ids(_ more: String...) throws -> [Int] {
      let result = try Program.run(
        [
          "run", "--json", "--tokens", "504,3575", "--generate", "5", "--ignore-end",
          "--interventions", file,
        ] + more)
      #expect(result.status == 0, "\(result.err)")
      return try #require(JSON(result.out)["generated"]?["tokens"]).items
        .compactMap { $0["id"]?.whole }
    }
    let (once, always) = (try ids(), try ids("--every-token"))
    // The first comes from the prompt's last position in both.
    #expect(once[0] == always[0] && once[1] != always[1])
  }

  @Test func printsTheText() throws {
    let result = try Program.run(
      ["run", "--prompt", "The capital of France is", "--generate", "1"])
    #expect(result.status == 0 && result.out == " Paris\n", "\(result.out)")
  }

  @Test func faultsAreNamed() throws {
    func fail(_ arguments: String..., part: String) throws {
      try Program.run(["run", "--tokens", "1,2"] + arguments).expectFailure(2, part)
    }
    try fail("--temperature", "1", part: "--generate")
    try fail("--generate", "2", "--seed", "1", part: "--temperature")
    try fail("--generate", "2", "--temperature", "0", part: "above 0")
    try fail("--generate", "0", part: "from 1 to")
    try fail("--generate", "2", "--every-token", part: "--interventions")
  }
}
