import Foundation
import TensorCore
import Testing

@testable import Transformer

@Suite struct ModelDigestTests {
  @Test func folderIsKnownByItsModelFilesAlone() throws {
    let files = FileManager.default
    let copy = files.temporaryDirectory.path + "/icl-probe-digest-\(UUID().uuidString)"
    try files.copyItem(atPath: TinyModel.llama.folder, toPath: copy)
    defer { try? files.removeItem(atPath: copy) }

    let digests = DigestCache(path: copy + "-digests/digests.jsonl")
    defer { try? files.removeItem(atPath: copy + "-digests") }
    let digest = try TinyModel.llama.load().digest(by: digests)
    #expect(digest.count == 64)
    #expect(try digest != TinyModel.qwen3.load().digest(by: digests))
    let model = try LanguageModel(path: copy)
    #expect(try model.digest(by: digests) == digest)
    try Data("notes".utf8).write(to: URL(fileURLWithPath: copy + "/README.md"))
    #expect(try model.digest(by: digests) == digest)
    try files.removeItem(atPath: copy + "/config.json")
    #expect(try model.digest(by: digests) != digest)
  }

  /// A file in parts is known by all of them.
  @Test func partsOfAFile() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/m-00001-of-00002.gguf"
    let digests = DigestCache(path: folder.path + "/digests.jsonl")
    try folder.write("1", to: "m-00001-of-00002.gguf")
    let model = LanguageModel(
      architecture: try TinyModel.llama.load().architecture,
      tokenizer: NonEncodingTokenizer(count: 1, problem: UserError("none")), beginToken: .none,
      path: path,
      weights: try TinyModel.llama.load().weights)
    #expect {
      try model.digest(by: digests)
    } throws: { "\($0)".contains("m-00002-of-00002.gguf: cannot be read") }
    try folder.write("2", to: "m-00002-of-00002.gguf")
    let digest = try model.digest(by: digests)
    try folder.write("3", to: "m-00002-of-00002.gguf")
    #expect(try model.digest(by: digests) != digest)
  }
}
