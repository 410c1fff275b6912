import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Ids of end tokens, some of them useless, none of which stops a run.
struct EndTokensTests {
  static func read(_ files: [String: String]) throws -> EndTokens {
    let folder = try TemporaryFolder()
    for (name, text) in files { try folder.write(text, to: name) }
    return EndTokens(folder: folder.path, config: "config.json", vocabulary: 12)
  }

  @Test(
    arguments: [
      (["config.json": #"{"eos_token_id": 2}"#], [2], []),
      (["config.json": #"{"eos_token_id": [2, 11, 2]}"#], [2, 11], []),
      (["config.json": #"{"eos_token_id": null}"#], [], []),
      (["config.json": "{}"], [], []), ([:], [], []),
      (
        [
          "config.json": #"{"eos_token_id": 2}"#, "generation_config.json": #"{"eos_token_id": 3}"#,
        ], [3], []
      ),
      (["config.json": #"{"eos_token_id": 2}"#, "generation_config.json": "{}"], [2], []),
      (
        ["config.json": #"{"eos_token_id": 32000}"#], [],
        ["eos_token_id is 32000, but there are 12 tokens: ignored"]
      ),
      (
        ["config.json": #"{"eos_token_id": [-1, 2, "</s>"]}"#], [2],
        [
          "eos_token_id[0] is -1, but there are 12 tokens: ignored",
          "eos_token_id[2]: found a text where a whole number belongs: ignored",
        ]
      ),
      (
        ["config.json": #"{"eos_token_id": {"a": 1}}"#], [],
        ["eos_token_id: found an object where a whole number belongs: ignored"]
      ),
      (
        ["config.json": #"{"eos_token_id": 2}"#, "generation_config.json": "{"], [2],
        ["/generation_config.json: not valid JSON: a key in quotes is missing"]
      ),
    ] as [([String: String], Set<Int>, [String])])
  func folders(files: [String: String], ids: Set<Int>, notes: [String]) throws {
    let tokens = try Self.read(files)
    #expect(tokens.ids == ids)
    #expect(tokens.notes.count == notes.count)
    for (note, part) in zip(tokens.notes, notes) { #expect(note.contains(part), "\(note)") }
  }

  @Test func ggufFiles() throws {
    let folder = try TemporaryFolder()
    var builder = GGUFBuilder.small()
    builder.add("tokenizer.ggml.eos_token_id", kind: 4, GGUFBuilder.number(2 as UInt32))
    builder.add("tokenizer.ggml.eot_token_id", kind: 4, GGUFBuilder.number(32_000 as UInt32))
    builder.add("tokenizer.ggml.eom_token_id", "2")
    let tokens = EndTokens(try GGUFMetadataTests.file(builder, in: folder), vocabulary: 3)
    #expect(tokens.ids == [2])
    #expect(tokens.notes.count == 2)
    #expect(tokens.notes[0].hasSuffix("eot_token_id\" is 32000, but there are 3 tokens: ignored"))
    #expect(tokens.notes[1].contains("eom_token_id\" holds the text \"2\" where a whole number"))
  }
}
