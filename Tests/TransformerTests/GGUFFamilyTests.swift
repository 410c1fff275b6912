import Foundation
import TensorCore
import Testing

@testable import Transformer

/// The tiny models put into GGUF as llama.cpp's converter does it: both files must give the same
/// numbers.
@Suite struct GGUFFamilyTests {
  @Test(arguments: TinyModel.allCases)
  func ggufGivesTheNumbersOfTheFolder(tiny: TinyModel) throws {
    // GGUF has no key for Gemma's query scale: it follows from the head's width.
    let folder = try HuggingFaceFolderTests.folder(
      tiny, tiny == .gemma2 ? ["query_pre_attn_scalar": 16] : [:])
    let plain = try LanguageModel(path: folder.path)
    let model = try LanguageModel(path: Self.convert(tiny, plain, in: folder))
    var architecture = model.architecture
    if tiny == .llama3 { architecture.positions = plain.architecture.positions }
    #expect(architecture == plain.architecture)
    let request = ForwardRequest.everything(
      try tiny.tokens(), layers: model.architecture.layers)
    let (a, b) = (
      try Engine(model: model, threads: 1).forward(request),
      try Engine(model: plain, threads: 1).forward(request)
    )
    // The same weights; products are cut elsewhere where rows lie in another order, and how that rounds
    // differs between processors.
    #expect(
      largestDifference(a.logits.flatMap(\.logits), b.logits.flatMap(\.logits)) < 3e-5)
  }

  @Test func qwen2KeepsRotaryPairsInHalves() throws {
    let folder = try TemporaryFolder()
    let plain = try TinyModel.llama.load()
    let path = try Self.convert(.llama, plain, in: folder, as: "qwen2")
    let result = try Engine(model: LanguageModel(gguf: path), threads: 1).forward(
      .everything(try TinyModel.llama.tokens(), layers: 3))
    let expected = try TinyModel.llama.golden().floats("logits")
    #expect(largestDifference(result.logits.flatMap(\.logits), expected) < 2e-4)
  }

  @Test func unknownArchitectureIsNamedBesideTheKnown() throws {
    let folder = try TemporaryFolder()
    let path = try Self.convert(.llama, TinyModel.llama.load(), in: folder, as: "mamba")
    #expect { try LanguageModel(path: path) } throws: { error in
      "\(error)".contains(
        "unknown architecture \"mamba\"; known are: llama, qwen2, qwen3, gpt2, gptneox, gemma2")
    }
  }

  /// Writes a GGUF file and returns its path.
  static func convert(
    _ tiny: TinyModel, _ model: LanguageModel, in folder: TemporaryFolder, as name: String? = nil
  ) throws -> String {
    let source = try SafetensorsFile(tiny.folder + "/model.safetensors")
    let architecture = model.architecture
    let family = try #require(
      Family.known.first { $0.name == name ?? architecture.family } ?? Family.known.first)
    var file = GGUFBuilder()
    addMetadata(name ?? architecture.family, architecture, to: &file)
    for (stored, renamed) in names(family, architecture) where source.contains(stored) {
      var shape = try source.shape(of: stored)
      var values = try source.floats(stored)
      if stored.contains(".c_") && shape.count == 2 {
        values = StoredMatrix(f32: values, rows: shape[0], columns: shape[1]).transposed().floats()
        shape.reverse()
      }
      let columns = shape.count == 2 ? shape[1] : 1
      if stored.contains("query_key_value") {
        values = rows(values, columns, from: stackedRows(architecture))
      } else if family.gguf.pairsAreNeighbours,
        renamed.contains("attn_q.") || renamed.contains("attn_k.")
      {
        values = rows(values, columns, from: neighbourRows(shape[0], architecture.headWidth))
      }
      if family.name == "gemma2", renamed.contains("norm") { values = values.map { $0 + 1 } }
      file.addTensor(
        renamed, shape: shape.reversed().map { UInt64($0) }, type: 0,
        bytes: values.flatMap { GGUFBuilder.number($0.bitPattern) })
    }
    if case .llama3 = architecture.rotary?.scaling, let rotary = architecture.rotary {
      let plain = Architecture.Rotary(base: rotary.base, dimensions: rotary.dimensions)
      let factors = zip(plain.frequencies, rotary.frequencies).map { Float($0 / $1) }
      file.addTensor(
        "rope_freqs.weight", shape: [UInt64(factors.count)], type: 0,
        bytes: factors.flatMap { GGUFBuilder.number($0.bitPattern) })
    }
    let path = folder.path + "/model.gguf"
    try Data(file.bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  private static func addMetadata(
    _ name: String, _ architecture: Architecture, to file: inout GGUFBuilder
  ) {
    func add(_ key: String, _ value: Int?) {
      guard let value else { return }
      file.add("\(name).\(key)", kind: 4, GGUFBuilder.number(UInt32(value)))
    }
    func add(_ key: String, _ value: Float?) {
      guard let value else { return }
      file.add("\(name).\(key)", kind: 6, GGUFBuilder.number(value.bitPattern))
    }
    file.add("general.architecture", name)
    add("block_count", architecture.layers)
    add("embedding_length", architecture.width)
    add("attention.head_count", architecture.heads)
    add("attention.head_count_kv", architecture.keyValueHeads)
    add("attention.key_length", architecture.headWidth)
    add("feed_forward_length", architecture.hiddenWidth)
    add("context_length", architecture.contextLength)
    add(
      architecture.norm.kind == .layer
        ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
      architecture.norm.epsilon)
    add("rope.freq_base", architecture.rotary.map { Float($0.base) })
    add("rope.dimension_count", architecture.rotary?.dimensions)
    add("attn_logit_softcapping", architecture.attentionSoftCap)
    add("final_logit_softcapping", architecture.logitSoftCap)
    add("attention.sliding_window", architecture.windows.compactMap(\.self).first)
    file.add("tokenizer.ggml.model", "gpt2")
    file.add("tokenizer.ggml.pre", "gpt-2")
    file.add(
      "tokenizer.ggml.tokens", array: 8,
      (0..<architecture.vocabulary).map { GGUFBuilder.text("t\($0)".utf8) })
  }

  /// Names in the folder beside names in GGUF.
  private static func names(_ family: Family, _ architecture: Architecture) -> [(String, String)] {
    let (from, to) = (family.huggingFace, family.gguf)
    var parts = [
      (from.attentionNorm, to.attentionNorm), (from.output, to.output), (from.mlpNorm, to.mlpNorm),
      (from.gate, to.gate), (from.up, to.up), (from.down, to.down), (from.queryNorm, to.queryNorm),
      (from.keyNorm, to.keyNorm), (from.attentionPostNorm, to.attentionPostNorm),
      (from.mlpPostNorm, to.mlpPostNorm),
    ]
    switch (from.projections, to.projections) {
    case (.separate(let q, let k, let v), .separate(let query, let key, let value)):
      parts += [(q, query), (k, key), (v, value)]
    case (.stacked(let fused), .stacked(let all)), (.byHead(let fused), .stacked(let all)):
      parts.append((fused, all))
    default: break
    }
    let outer = [
      (from.prefix + from.embedding, to.embedding), (from.prefix + from.positions, to.positions),
      (from.prefix + from.finalNorm, to.finalNorm), (from.unembedding, to.unembedding),
    ]
    let inner = (0..<architecture.layers).flatMap { layer in
      parts.filter { !$0.0.isEmpty }.map { from.inBlock(layer, $0.0, to: to, $0.1) }
    }
    return (outer + inner).flatMap { pair in
      [".weight", ".bias"].map { (pair.0 + $0, pair.1 + $0) }
    }
  }

  private static func rows(_ values: [Float], _ columns: Int, from order: [Int]) -> [Float] {
    order.flatMap { values[$0 * columns..<($0 + 1) * columns] }
  }

  /// Rows of a matrix by head, in the order queries, keys, values.
  private static func stackedRows(_ architecture: Architecture) -> [Int] {
    let width = architecture.headWidth
    return (0..<3).flatMap { part in
      (0..<architecture.heads).flatMap { head in
        (0..<width).map { (3 * head + part) * width + $0 }
      }
    }
  }

  /// Rows of halves in the order of neighbours.
  private static func neighbourRows(_ count: Int, _ headWidth: Int) -> [Int] {
    (0..<count).map { row in
      let value = row % headWidth
      return row - value + value / 2 + value % 2 * headWidth / 2
    }
  }
}

extension CheckpointLayout {
  fileprivate func inBlock(
    _ layer: Int, _ name: String, to other: CheckpointLayout, _ otherName: String
  ) -> (String, String) {
    ("\(prefix)\(block).\(layer).\(name)", "\(other.block).\(layer).\(otherName)")
  }
}
