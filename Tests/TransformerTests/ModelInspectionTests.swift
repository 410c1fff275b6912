import Foundation
import TensorCore
import Testing

@testable import Transformer

@Suite struct ModelInspectionTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func shapes(_ inspection: ModelInspection) -> [String: Int] {
    Dictionary(inspection.shapes, uniquingKeysWith: { first, _ in first })
  }

  /// Numbers from the file's table as other readers of GGUF show it.
  @Test func theModelItself() throws {
    let inspection = try ModelInspection(path: ModelStore().resolve("smollm2"))
    #expect(inspection.format == "GGUF, version 3" && inspection.architecture == "llama")
    #expect(
      shapes(inspection) == [
        "layers": 30, "width": 576, "heads": 9, "key-value heads": 3, "head width": 64,
        "MLP width": 1536, "vocabulary": 49152, "context": 8192,
      ])
    #expect(inspection.parameters == 134_515_008)
    #expect(inspection.tensorTypes.map(\.name) == ["Q4_1", "Q8_0", "F32"])
    #expect(inspection.tensorTypes.map(\.count) == [210, 1, 61])
    // 20 bytes for 32 numbers, 34 for 32, 4 for one.
    #expect(
      inspection.tensorTypes.map(\.bytes)
        == [106_168_320 / 32 * 20, 28_311_552 / 32 * 34, 35_136 * 4])
    #expect(inspection.tokenizer == "byte-level BPE, pre-tokenizer smollm")
    #expect(inspection.tokens == 49152 && inspection.licence == "apache-2.0")
    #expect(inspection.begin == .init(id: 1, text: "<|im_start|>", isExpected: false))
    #expect(inspection.problems.isEmpty)
    // What a recorded run really holds.
    let run = try Golden.engine().record([[1, 2, 3, 4]])[0]
    #expect(try #require(inspection.keptBytesPerToken) * 4 == run.byteCount)
  }

  @Test(arguments: TinyModel.allCases) func folders(_ tiny: TinyModel) throws {
    let inspection = try ModelInspection(path: tiny.folder)
    let architecture = try tiny.load().architecture
    #expect(inspection.problems.isEmpty && inspection.format == "Hugging Face folder")
    #expect(shapes(inspection)["layers"] == architecture.layers)
    #expect(try #require(inspection.tokenizer).hasPrefix("text is not cut: "))
    #expect(inspection.licence == nil && inspection.begin == nil)
    let bytes = try FileManager.default.attributesOfItem(
      atPath: tiny.folder + "/model.safetensors")[.size]
    // All but the header.
    let header = try Data(contentsOf: URL(fileURLWithPath: tiny.folder + "/model.safetensors"))
      .prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    #expect(inspection.bytes + header + 8 == (bytes as? NSNumber)?.intValue)
  }

  /// The files that the index lists count, and no others.
  @Test func shards() throws {
    let tiny = TinyModel.qwen3.folder
    for name in ["config.json", "golden.safetensors"] {
      try folder.copy("\(tiny)/\(name)", to: name)
    }
    try folder.copy(tiny + "/model.safetensors", to: "part1.safetensors")
    try folder.write(
      #"{"weight_map": {"a": "part1.safetensors", "b": "part1.safetensors"}}"#,
      to: "model.safetensors.index.json")
    let whole = try ModelInspection(path: tiny)
    #expect(try ModelInspection(path: folder.path).tensorTypes == whole.tensorTypes)
    try folder.write(
      #"{"weight_map": {"a": "part1.safetensors", "b": "part2.safetensors"}}"#,
      to: "model.safetensors.index.json")
    let broken = try ModelInspection(path: folder.path)
    #expect(broken.tensorTypes == whole.tensorTypes)
    #expect(broken.problems.contains { $0.contains("part2.safetensors: cannot be read") })
  }

  @Test func anUnknownFamilyInAFile() throws {
    var file = GGUFBuilder()
    func number(_ key: String, _ value: UInt32) {
      file.add(key, kind: 4, GGUFBuilder.number(value))
    }
    file.add("general.architecture", "mixtral")
    file.add("general.name", "Eight experts")
    file.add("general.license.name", "Own terms")
    file.add("general.license", "other")
    for (key, value) in [
      ("block_count", 2), ("embedding_length", 16), ("attention.head_count", 4),
      ("feed_forward_length", 32), ("expert_count", 8), ("context_length", 64),
    ] { number("mixtral.\(key)", UInt32(value)) }
    file.add("tokenizer.ggml.model", "bert")
    file.add("tokenizer.ggml.pre", "jina")
    file.add("tokenizer.ggml.tokens", array: 8, ["a", "<s>"].map { GGUFBuilder.text($0.utf8) })
    number("tokenizer.ggml.bos_token_id", 1)
    file.add("tokenizer.ggml.add_bos_token", kind: 7, [1])
    file.addTensor(
      "token_embd.weight", shape: [16, 2], type: 1, bytes: [UInt8](repeating: 0, count: 64))
    let path = folder.path + "/mixtral.gguf"
    try Data(file.bytes).write(to: URL(fileURLWithPath: path))

    let inspection = try ModelInspection(path: path)
    #expect(inspection.model == nil && inspection.keptBytesPerToken == nil)
    #expect(inspection.problems.count == 1)
    #expect(inspection.problems[0].contains("unknown architecture \"mixtral\""))
    #expect(inspection.title == "Eight experts" && inspection.licence == "Own terms")
    #expect(
      shapes(inspection) == [
        "layers": 2, "width": 16, "heads": 4, "key-value heads": 4, "head width": 4,
        "MLP width": 32, "experts": 8, "vocabulary": 2, "context": 64,
      ])
    #expect(inspection.tokenizer == "WordPiece, pre-tokenizer jina" && inspection.tokens == 2)
    #expect(inspection.begin == .init(id: 1, text: "<s>", isExpected: true))
    #expect(inspection.tensorTypes.map(\.bytes) == [64] && inspection.parameters == 32)
  }

  @Test func anUnknownFamilyInAFolder() throws {
    try folder.copy(TinyModel.llama.folder + "/model.safetensors", to: "model.safetensors")
    try folder.write(
      #"{"model_type": "mamba9", "hidden_size": 16, "num_hidden_layers": 3, "vocab_size": 9}"#,
      to: "config.json")
    try folder.write(#"{"model": {"type": "Unigram"}}"#, to: "tokenizer.json")
    try folder.write("---\ntags: [a]\nlicense: \"mit\"\n---\nlicense: no\n", to: "README.md")
    let inspection = try ModelInspection(path: folder.path)
    #expect(inspection.architecture == "mamba9" && inspection.licence == "mit")
    #expect(shapes(inspection) == ["layers": 3, "width": 16, "vocabulary": 9])
    #expect(inspection.tokenizer == "Unigram (tokenizer.json)")
    #expect(inspection.parameters > 0)
    #expect(inspection.problems.count == 1 && inspection.problems[0].contains("mamba9"))
    // A shard that cannot be read is one more thing to say, once.
    try folder.write("version https://git-lfs", to: "model.safetensors")
    let broken = try ModelInspection(path: folder.path)
    #expect(broken.problems.count == 2 && broken.problems[0].contains("model.safetensors"))
  }

  @Test(arguments: [
    ("license: other\nlicense_name: gemma-terms\n", "gemma-terms"), ("license: other\n", "other"),
    ("license:\n", nil),
  ]) func licences(_ matter: String, _ licence: String?) throws {
    try folder.write("{}", to: "config.json")
    try folder.write("---\n\(matter)---\n", to: "README.md")
    #expect(try ModelInspection(path: folder.path).licence == licence)
    try folder.write("text", to: "LICENSE.txt")
    #expect(try ModelInspection(path: folder.path).licence == licence ?? "see its LICENSE.txt")
    try folder.write("{\"license\": \"cc\"}", to: "config.json")
    #expect(try ModelInspection(path: folder.path).licence == licence ?? "cc")
  }

  @Test func whatIsNoModel() throws {
    try folder.write("hello", to: "a.txt")
    #expect {
      try ModelInspection(path: folder.path + "/a.txt")
    } throws: { "\($0)".contains("is not a GGUF file") }
    #expect {
      try ModelInspection(path: folder.path)
    } throws: { "\($0)".contains("config.json: cannot be read") }
  }
}
