import Foundation
import Testing

@testable import Transformer

@Suite struct ModelDigestTests {
  @Test func folderIsKnownByItsModelFilesAlone() throws {
    let files = FileManager.default
    let copy = files.temporaryDirectory.path + "/icl-probe-digest-\(UUID().uuidString)"
    try files.copyItem(atPath: TinyModel.llama.folder, toPath: copy)
    defer { try? files.removeItem(atPath: copy) }

    let digest = try TinyModel.llama.load().digest()
    #expect(digest.count == 64)
    #expect(try digest != TinyModel.qwen3.load().digest())
    let model = try LanguageModel(path: copy)
    #expect(try model.digest() == digest)
    try Data("notes".utf8).write(to: URL(fileURLWithPath: copy + "/README.md"))
    #expect(try model.digest() == digest)
    try files.removeItem(atPath: copy + "/config.json")
    #expect(try model.digest() != digest)
  }
}
