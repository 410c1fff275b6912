import Foundation
import Testing

@Suite struct RecordCommandTests {
  /// Shape and numbers of an array, the file taken apart as the format's description says.
  private func array(_ name: String, in path: String) throws -> ([Int], [Float]) {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let size = bytes.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
    let header = try #require(
      try JSONSerialization.jsonObject(with: bytes[8..<8 + size]) as? [String: Any])
    let entry = try #require(header[name] as? [String: Any])
    #expect(entry["dtype"] as? String == "F32")
    let offsets = try #require(entry["data_offsets"] as? [Int])
    let numbers = bytes[(8 + size + offsets[0])..<(8 + size + offsets[1])]
    let values = stride(from: numbers.startIndex, to: numbers.endIndex, by: 4).map { start in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(numbers[start + $1]) << (8 * $1) })
    }
    return (try #require(entry["shape"] as? [Int]), values)
  }

  @Test func recordsPromptsWithAnIndex() throws {
    let scratch = try Scratch()
    let prompts = try scratch.write(
      "prompts.jsonl",
      """
      "The capital of France is"
      {"text": "hot -> cold"}

      {"tokens": [1, 2, 3]}
      """)
    let out = scratch.file("acts.safetensors")
    let result = try Program.run([
      "record", "--prompts", prompts, "--hook", "blocks.[34].hook_resid_post", "--hook",
      "blocks.3.attn.hook_z", "--hook", "blocks.3.hook_out", "--positions", "-1,0", "--out", out,
      "--json",
    ])
    #expect(result.status == 0, "\(result.err)")
    let printed = try JSON(result.out)
    #expect(printed["rows"]?.whole == 6)
    let index = try JSON(scratch.read("acts.json"))
    #expect(index["hooks"]?.keys.count == 3)
    #expect(index["hooks"]?["blocks.3.attn.hook_z"]?.items.map(\.whole) == [6, 9, 64])
    #expect(index["prompts"]?[1]?["text"]?.text == "hot -> cold")
    let rows = try #require(index["rows"]).items
    #expect(rows.map { $0["prompt"]?.whole } == [0, 0, 1, 1, 2, 2])
    #expect(rows[1]["text"]?.text == " is" && rows[1]["position"]?.whole == 4)
    #expect(rows.suffix(2).map { $0["token"]?.whole } == [1, 3])
    #expect(scratch.entries() == ["acts.json", "acts.safetensors", "prompts.jsonl"])

    let run = try JSON(
      Program.run([
        "run", "--tokens", "1,2,3", "--hook", "blocks.4.hook_resid_post", "--positions", "-1",
        "--json",
      ]).out)
    let values = try #require(run["hooks"]?["blocks.4.hook_resid_post"]?["values"]).items
      .compactMap(\.number)
    let (shape, numbers) = try array("blocks.4.hook_resid_post", in: out)
    #expect(shape == [6, 576])
    let largest = zip(numbers.suffix(576), values).map { abs(Double($0) - $1) }.max() ?? .infinity
    #expect(largest < 1e-3)
  }

  @Test func recordsATasksRoles() throws {
    let scratch = try Scratch()
    let out = scratch.file("roles.safetensors")
    let result = try Program.run([
      "record", "--task", "multi-demo-rule", "--episodes", "2", "--shots", "3", "--roles",
      "answer,last-separator", "--hook", "blocks.0.hook_mlp_out", "--out", out,
    ])
    #expect(result.status == 0, "\(result.err)")
    let rows = try #require(JSON(scratch.read("roles.json"))["rows"]).items
    #expect(rows.count == 8)
    #expect(
      rows.prefix(4).map { $0["role"]?.text } == ["answer", "answer", "answer", "last-separator"])
    #expect(rows.prefix(4).map { $0["demonstration"]?.whole } == [0, 1, 2, nil])
    #expect(try array("blocks.0.hook_mlp_out", in: out).0 == [8, 576])
  }

  @Test func theDifferenceOfTwoFilesSteers() throws {
    let scratch = try Scratch()
    try scratch.write("a.jsonl", "\"I love\"\n\"I adore\"\n")
    try scratch.write("b.jsonl", "\"I hate\"\n")
    let result = try Program.run(
      [
        "record", "--prompts", "a.jsonl", "--minus", "b.jsonl", "--positions", "-1", "--out",
        "v.gguf", "--json",
      ], folder: scratch)
    #expect(result.status == 0, "\(result.err)")
    #expect(try JSON(result.out)["layers"]?.items.compactMap(\.whole) == Array(1..<30))
    func top(_ more: String...) throws -> Double? {
      let result = try Program.run(
        ["run", "--prompt", "I think", "--top", "1", "--json"] + more, folder: scratch)
      #expect(result.status == 0, "\(result.err)")
      return try JSON(result.out)["top"]?[0]?["logit"]?.number
    }
    let plain = try #require(try top())
    #expect(abs(try #require(try top("--control-vector", "v.gguf:0")) - plain) < 1e-3)
    #expect(abs(try #require(try top("--control-vector", "v.gguf:0.5")) - plain) > 1e-2)
    try Program.run(
      ["record", "--prompts", "a.jsonl", "--minus", "b.jsonl", "--out", "v.safetensors"],
      folder: scratch
    ).expectFailure(2, ".gguf")
  }

  @Test func faultsAreNamed() throws {
    let scratch = try Scratch()
    let prompts = try scratch.write("p.jsonl", "\"a\"\n{\"txt\": \"b\"}\n")
    func run(_ arguments: String...) throws -> Program.Result {
      try Program.run(["record"] + arguments, folder: scratch)
    }
    let out = ["--out", "x.safetensors"]
    try run("--prompts", prompts, "--hook", "hook_embed").expectFailure(2, "--out")
    try run("--prompts", prompts, "--hook", "hook_embed", "--out", "x.npy")
      .expectFailure(2, ".safetensors")
    try run("--hook", "hook_embed", out[0], out[1]).expectFailure(2, "no prompts")
    try run("--prompts", prompts, out[0], out[1]).expectFailure(2, "--hook")
    try run("--prompts", prompts, "--hook", "hook_embed", out[0], out[1])
      .expectFailure(1, "p.jsonl, line 2", "txt")
    try run("--prompts", prompts, "--hook", "blocks.*.hook_x", out[0], out[1])
      .expectFailure(2, "fits no hook point")
    try run("--prompts", prompts, "--hook", "hook_embed", "--shots", "2", out[0], out[1])
      .expectFailure(2, "--shots")
    try run(
      "--task", "multi-demo-rule", "--roles", "answers", "--hook", "hook_embed", out[0], out[1]
    )
    .expectFailure(2, "answers", "last-separator")
    #expect(scratch.entries() == ["p.jsonl"])
  }
}
