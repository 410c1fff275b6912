import Foundation
import Testing

/// The begin token through the program, with a tiny model whose vocabulary is the 256 bytes and
/// `<s>`, which a post-processor puts before texts.
@Suite struct BeginTokenCommandTests {
  private static let begin = 256
  let folder: Scratch

  init() throws {
    folder = try Scratch()
    let tiny = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../TransformerTests/Resources/tiny/llama_gqa").standardized.path
    for name in ["config.json", "model.safetensors"] {
      try FileManager.default.copyItem(atPath: "\(tiny)/\(name)", toPath: folder.file(name))
    }
    // GPT-2's alphabet: printable bytes of Latin-1 stand for themselves, the others from U+0100 on.
    var shifted: UInt32 = 0x100
    let letters = (0...255 as ClosedRange<UInt32>).map { byte -> String in
      if 0x21...0x7E ~= byte || 0xA1...0xAC ~= byte || 0xAE...0xFF ~= byte {
        return Unicode.Scalar(byte).map(String.init) ?? ""
      }
      defer { shifted += 1 }
      return Unicode.Scalar(shifted).map(String.init) ?? ""
    }
    let vocabulary = Dictionary(uniqueKeysWithValues: zip(letters, 0...255))
    let tokenizer: [String: Any] = [
      "added_tokens": [["id": Self.begin, "content": "<s>", "special": true]],
      "pre_tokenizer": ["type": "ByteLevel", "add_prefix_space": false],
      "post_processor": [
        "type": "TemplateProcessing", "pair": [],
        "single": [["SpecialToken": ["id": "<s>"]], ["Sequence": ["id": "A"]]],
        "special_tokens": ["<s>": ["id": "<s>", "ids": [Self.begin], "tokens": ["<s>"]]],
      ],
      "model": ["type": "BPE", "vocab": vocabulary, "merges": [String]()],
    ]
    try folder.write(
      "tokenizer.json", JSONSerialization.data(withJSONObject: tokenizer))
  }

  private func run(_ arguments: [String], input: String = "") throws -> Program.Result {
    let result = try Program.run(arguments + ["--model", folder.path], input: input)
    #expect(result.status == 0, "\(result.err)")
    return result
  }

  private func ids(_ arguments: String...) throws -> [Int] {
    let tokens = try JSON(run(["run", "--json"] + arguments).out)["tokens"]
    return tokens?.items.compactMap { $0["id"]?.whole } ?? []
  }

  @Test func promptsGetItOnce() throws {
    #expect(try ids("--prompt", "ab") == [Self.begin, 97, 98])
    #expect(try ids("--prompt", "ab", "--bos", "yes") == [Self.begin, 97, 98])
    #expect(try ids("--prompt", "ab", "--bos", "no") == [97, 98])
    #expect(try ids("--prompt", "<s>ab", "--special") == [Self.begin, 97, 98])
    #expect(try ids("--tokens", "97,98") == [97, 98])
    try Program.run(["run", "--tokens", "97", "--bos", "auto"])
      .expectFailure(2, "--bos does nothing without --prompt", "leave out --bos")
    try Program.run(["run", "--prompt", "a", "--bos", "maybe"])
      .expectFailure(2, "'--bos' cannot be 'maybe'", "auto, yes, no")
  }

  @Test func tokenizeAddsItWhenAsked() throws {
    #expect(try run(["tokenize"], input: "\"ab\"\n").out == "[97, 98]\n")
    #expect(try run(["tokenize", "--bos", "auto"], input: "\"ab\"\n").out == "[256, 97, 98]\n")
    #expect(
      try run(["tokenize", "--bos", "yes", "--special"], input: "\"<s>a\"\n\"b\"\n").out
        == "[256, 97]\n[256, 98]\n")
    try Program.run(["tokenize", "--decode", "--bos", "yes"])
      .expectFailure(2, "--bos does nothing with --decode", "leave out")
  }

  @Test func tasksShowItWithItsRole() throws {
    func tokens(_ arguments: String...) throws -> [JSON] {
      let line = ["tasks", "multi-demo-rule", "--shots", "2", "--json"] + arguments
      return try JSON(run(line).out)["example"]?["tokens"]?.items ?? []
    }
    let begun = try tokens()
    let plain = try tokens("--bos", "no")
    #expect(begun.count == plain.count + 1)
    #expect(begun[0]["id"]?.whole == Self.begin && begun[0]["role"]?.text == "begin")
    #expect(begun[0]["text"]?.text == "<s>" && begun[0]["demonstration"]?.value == .null)
    #expect(begun.count { $0["role"]?.text == "begin" } == 1)
    #expect(zip(begun.dropFirst(), plain).allSatisfy { $0.value == $1.value })
    try Program.run(["tasks", "--bos", "no"])
      .expectFailure(2, "--bos does nothing without a task", "name a task")
  }

  @Test func filesThatSayNoKeepTheirPrompts() throws {
    // SmolLM2's file has add_bos_token = false and names <|im_start|>.
    func tokens(_ arguments: String...) throws -> [Int] {
      let result = try Program.run(["run", "--json", "--prompt", "dog -> A"] + arguments)
      return try JSON(result.out)["tokens"]?.items.compactMap { $0["id"]?.whole } ?? []
    }
    #expect(try tokens() == [22676, 4722, 330])
    #expect(try tokens("--bos", "yes") == [1, 22676, 4722, 330])
  }

  @Test func aTokenThatIsNotThereIsTold() throws {
    let bare = try Scratch()
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
      try FileManager.default.copyItem(atPath: folder.file(name), toPath: bare.file(name))
    }
    var text = try bare.read("tokenizer.json")
    text = text.replacing("TemplateProcessing", with: "ByteLevel")
    try bare.write("tokenizer.json", text)
    #expect(try Program.run(["run", "--prompt", "a", "--model", bare.path]).status == 0)
    try Program.run(["run", "--prompt", "a", "--bos", "yes", "--model", bare.path])
      .expectFailure(1, "\(bare.path): a begin token is asked for", "--bos no")
  }
}
