import Foundation
import TensorCore
import Testing

@testable import Transformer

/// Which file of a folder a tensor comes from, and what folders without weights hold instead.
@Suite struct HuggingFaceShardTests {
  typealias Arrays = [(String, [Int], [Float])]

  static func folder(
    _ files: [String: Arrays], index: [(key: String, value: JSONValue)]? = nil
  ) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (name, arrays) in files { try Safetensors.write(arrays, to: "\(folder.path)/\(name)") }
    if let index {
      try folder.write(
        JSONValue.object([("metadata", [:]), ("weight_map", .object(index))]).text,
        to: HuggingFaceFolder.index)
    }
    return folder
  }

  static func problem(_ folder: TemporaryFolder) -> String {
    (#expect(throws: UserError.self) { try HuggingFaceFolder(folder.path) })?.problem ?? ""
  }

  /// A stray copy in another part, before or after the right one, is not read.
  @Test(arguments: ["1.safetensors", "2.safetensors"]) func theIndexDecides(part: String) throws {
    let folder = try Self.folder(
      [
        "1.safetensors": [("head", [1, 2], [1, 1]), ("a", [1], [5]), ("stray", [1], [0])],
        "2.safetensors": [("head", [2, 1], [2, 2]), ("b", [1], [6])],
      ], index: [("head", .string(part)), ("a", "1.safetensors"), ("b", "2.safetensors")])
    let source = try HuggingFaceFolder(folder.path)
    let isFirst = part == "1.safetensors"
    #expect(try source.vector("head") == (isFirst ? [1, 1] : [2, 2]))
    #expect(source.shape("head") == (isFirst ? [1, 2] : [2, 1]))
    #expect(source.names == ["a", "b", "head"])
    #expect(!source.hasTensor("stray") && source.shape("stray") == nil)
    #expect(source.type("a") == "F32" && source.type("stray") == nil)
    let place = folder.path
    let end = "ignored, as the index does not give it to this file"
    #expect(
      source.notes
        == (isFirst
          ? ["\(place)/1.safetensors: \"stray\" \(end)", "\(place)/2.safetensors: \"head\" \(end)"]
          : ["\(place)/1.safetensors: \"head\" and 1 more \(end)"]))
  }

  @Test func aTensorThatItsPartLacksIsNamed() throws {
    let folder = try Self.folder(
      ["1.safetensors": [("a", [1], [5])], "2.safetensors": [("b", [1], [6])]],
      index: [("a", "1.safetensors"), ("b", "1.safetensors"), ("c", "2.safetensors")])
    #expect(
      Self.problem(folder)
        == "the index gives the tensor \"b\" to 1.safetensors, which does not have it")
  }

  @Test func theSingleFileCountsWhereBothAreThere() throws {
    let folder = try Self.folder(
      ["model.safetensors": [("a", [1], [1])], "1.safetensors": [("a", [1], [2])]],
      index: [("a", "1.safetensors")])
    let source = try HuggingFaceFolder(folder.path)
    #expect(try source.vector("a") == [1])
    #expect(source.notes.count == 1 && source.notes[0].contains("is read, model.safetensors.index"))
  }

  @Test func damagedIndicesAreNamed() throws {
    for (text, message) in [
      ("{}", "the key \"weight_map\" is missing"), (#"{"weight_map": {}}"#, "lists no tensors"),
      (#"{"weight_map": null}"#, "the key \"weight_map\" is missing"),
      (#"{"weight_map": {"a": "../x"}}"#, "\"../x\" is not a file of this folder"),
      (#"{"weight_map": {"a": "/etc/x"}}"#, "\"/etc/x\" is not a file of this folder"),
      (#"{"weight_map": {"a": "x\u0000"}}"#, "is not a file of this folder"),
      (#"{"weight_map": {"a": 1}}"#, "found a whole number where a text belongs"),
      ("version https://git-lfs.github.com/spec/v1\n", "is a Git-LFS pointer"),
    ] {
      let folder = try TemporaryFolder()
      try folder.write(text, to: HuggingFaceFolder.index)
      #expect(Self.problem(folder).contains(message))
    }
  }

  @Test(arguments: [
    (["pytorch_model.bin"], "holds pytorch_model.bin, weights that Python has pickled"),
    (
      ["pytorch_model-00001-of-00002.bin", "pytorch_model.bin.index.json"],
      "that Python has pickled"
    ),
    (["consolidated.00.pth"], "holds consolidated.00.pth, weights that Python has pickled"),
    (["consolidated.safetensors"], "holds consolidated.safetensors where model.safetensors is"),
    (
      ["other.safetensors", "pytorch_model.bin"], "holds other.safetensors where model.safetensors"
    ),
    (
      ["model-00001-of-00002.safetensors"],
      "holds a part of the weights, model-00001-of-00002.safetensors, but not model.safetensors.index"
    ),
    (["m.gguf"], "is a folder with a GGUF file"),
    (["tf_model.h5"], "holds tf_model.h5, weights of TensorFlow or Flax"),
    (["adapter_model.safetensors"], "holds a LoRA adapter, not a model"),
    (["README.md"], "has neither model.safetensors nor model.safetensors.index.json"),
  ])
  func whatLiesThereInsteadIsNamed(names: [String], message: String) throws {
    let folder = try TemporaryFolder()
    for name in names { try folder.write("x", to: name) }
    #expect(Self.problem(folder).contains(message))
  }

  @Test(arguments: [
    (["adapter_config.json", "adapter_model.safetensors"], "holds a LoRA adapter, not a model"),
    (["adapter_config.json", "config.json", "model.safetensors"], "holds a LoRA adapter"),
    (["m.Q4_K_M.gguf"], "is a folder with a GGUF file; name the file itself: "),
    (["params.json", "consolidated.safetensors"], "in its maker's own layout (params.json)"),
    ([], "config.json: cannot be read"),
  ])
  func foldersWithoutAConfigurationAreNamed(names: [String], message: String) throws {
    let folder = try TemporaryFolder()
    for name in names { try folder.write("{}", to: name) }
    #expect(try HuggingFaceFolderTests.complaint(folder).contains(message))
  }

  @Test func danglingLinksAreNamed() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/model.safetensors", withDestinationPath: "../blobs/0123")
    #expect(Self.problem(folder) == "model.safetensors is a link to a file that is not there")
  }

  @Test func pointersInAFolderAreNamed() throws {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 77\n"
    for name in ["config.json", "model.safetensors"] {
      let folder = try HuggingFaceFolderTests.folder(.llama)
      try folder.write(pointer, to: name)
      #expect(
        try HuggingFaceFolderTests.complaint(folder).contains(
          "/\(name): is a Git-LFS pointer, not the file itself, which has 77 bytes"))
    }
  }

  /// Python writes it; no run reads the key.
  @Test func infinityInAKeyThatNobodyReadsIsNoMatter() throws {
    let folder = try HuggingFaceFolderTests.folder(.llama)
    let config = try String(contentsOfFile: "\(folder.path)/config.json", encoding: .utf8)
    try folder.write(
      "\u{FEFF}"
        + config.replacing("{", with: #"{"limit": [0.0, Infinity], "x": NaN, "#, maxReplacements: 1),
      to: "config.json")
    #expect(
      try LanguageModel(path: folder.path).architecture == TinyModel.llama.load().architecture)
    try folder.write(
      config.replacing(#""rms_norm_eps""#, with: #""rms_norm_eps": Infinity, "other""#),
      to: "config.json")
    #expect(
      try HuggingFaceFolderTests.complaint(folder).contains(
        "rms_norm_eps: found Infinity where a finite number belongs"))
  }
}
