import Foundation
import Testing

/// Models that cannot be used, and inputs that a model cannot take.
@Suite struct ModelErrorTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  private func fails(
    _ model: String, _ status: Int32, _ problem: String, _ remedy: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for arguments in [["run", "--prompt", "a"], ["tokenize"], ["tasks", "present-past"]] {
      try Program.run(arguments + ["--model", model], folder: scratch)
        .expectFailure(status, problem, remedy, sourceLocation: sourceLocation)
    }
    // No folder of runs is begun for a model that does not load.
    try Program.run(["patch", "--model", model], folder: scratch)
      .expectFailure(status, problem, remedy, sourceLocation: sourceLocation)
    #expect(!scratch.entries().contains("runs"), sourceLocation: sourceLocation)
  }

  @Test func missingFile() throws {
    try fails("none/x.gguf", 1, "none/x.gguf: cannot be read", "check the path")
  }

  @Test func unknownName() throws {
    try fails("gpt5", 2, "no model is called \"gpt5\"", "known are: smollm2")
  }

  @Test func notFetched() throws {
    let result = try Program.run(
      ["run", "--prompt", "a"], environment: ["ICL_PROBE_MODELS": scratch.path])
    result.expectFailure(1, "\(scratch.path)/SmolLM2", "icl-probe models fetch smollm2")
  }

  @Test func textFile() throws {
    let path = try scratch.write("letter.gguf", "Dear model,\n\nhow are you?\n")
    try fails(path, 1, path, "GGUF")
  }

  @Test func folderWithoutAModel() throws {
    try fails(scratch.path, 1, "\(scratch.path)/config.json: cannot be read", "check the path")
  }

  @Test func folderWithoutATokenizer() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../TransformerTests/Resources/tiny/llama_gqa").standardized.path
    for arguments in [["run", "--prompt", "a"], ["tokenize"], ["tasks", "present-past"]] {
      try Program.run(arguments + ["--model", folder])
        .expectFailure(
          1, "\(folder): the model has neither tokenizer.json nor tokenizer.model", "run --tokens")
    }
    let result = try Program.run(["run", "--tokens", "1,2", "--model", folder, "--json"])
    #expect(result.status == 0, "\(result.err)")
    #expect(try JSON(result.out)["model"]?.text == folder)
  }

  @Test func truncatedFile() throws {
    let models = try Program.run(["models", "--json"]).out
    let entry = try #require(try JSON(models).items.first { $0["name"]?.text == "smollm2" })
    let path = try #require(entry["path"]?.text)
    let file = try #require(FileHandle(forReadingAtPath: path))
    for length in [20, 1000, 3_000_000] {
      try file.seek(toOffset: 0)
      let data = try #require(try file.read(upToCount: length))
      let cut = try scratch.write("cut.gguf", data)
      try fails(cut, 1, "cut.gguf: ", "again")
    }
  }

  @Test func unknownArchitecture() throws {
    func number<Integer: FixedWidthInteger>(_ value: Integer) -> Data {
      withUnsafeBytes(of: value.littleEndian) { Data($0) }
    }
    func text(_ text: String) -> Data { number(UInt64(text.utf8.count)) + Data(text.utf8) }
    // Version 3, no tensors, one key of kind 8, a text.
    var file = Data("GGUF".utf8) + number(UInt32(3)) + number(UInt64(0)) + number(UInt64(1))
    file += text("general.architecture") + number(UInt32(8)) + text("mamba")
    let path = try scratch.write("mamba.gguf", file)
    try fails(path, 1, "unknown architecture \"mamba\"", "known are: ")
  }

  @Test func promptBeyondTheContext() throws {
    let tokens = [String](repeating: "1", count: 20_000).joined(separator: ",")
    try Program.run(["run", "--tokens", tokens])
      .expectFailure(1, "the prompt has 20000 tokens, the model takes", "shorter prompt")
  }

  @Test func tokenOutsideTheVocabulary() throws {
    try Program.run(["run", "--tokens", "1,49152"])
      .expectFailure(1, "token 49152 is not in the vocabulary", "ids 0 to 49151")
  }

  @Test(arguments: [
    ("{}", "found an object where a list belongs", ""),
    (
      "[{\"hook\": \"blocks.0.nowhere\", \"positions\": \"all\", \"edit\": \"zero\"}]",
      "unknown hook point \"blocks.0.nowhere\"", "blocks.0.hook_resid_post"
    ),
    (
      "[{\"hook\": \"blocks.30.hook_resid_post\", \"positions\": [0], \"edit\": \"zero\"}]",
      "layer 30 is out of range", "use 0 to 29"
    ),
    (
      "[{\"hook\": \"blocks.3.hook_resid_post\", \"positions\": [9], \"edit\": \"zero\"}]",
      "position 9 is out of range", "use 0 to 1"
    ),
    (
      "[{\"hook\": \"blocks.3.hook_resid_post\", \"position\": [0], \"edit\": \"zero\"}]",
      "unknown key \"position\"", "positions"
    ),
    ("[{\"hook\": ", "not valid JSON", ""),
  ]) func wrongInterventions(_ text: String, _ problem: String, _ remedy: String) throws {
    let path = try scratch.write("changes.json", text)
    let result = try Program.run(["run", "--tokens", "1,2", "--interventions", path])
    #expect(result.status != 0)
    result.expectFailure(result.status, "\(path)", problem, remedy)
  }

  @Test func missingInterventions() throws {
    try Program.run(["run", "--tokens", "1,2", "--interventions", "none.json"])
      .expectFailure(1, "none.json: cannot be read", "check the path")
  }
}
