import Foundation
import TensorCore

/// The weights of a Hugging Face folder: `model.safetensors`, or the parts that
/// `model.safetensors.index.json` lists. The files are mapped.
struct HuggingFaceFolder: CheckpointSource {
  let path: String
  private let files: [SafetensorsFile]
  /// Which file a tensor lies in.
  private let fileOfTensor: [String: Int]

  /// - Throws: `UserError` where there are no weights, or a part is missing or damaged.
  init(_ path: String) throws {
    self.path = path
    let whole = path + "/model.safetensors"
    let index = whole + ".index.json"
    if FileManager.default.fileExists(atPath: whole) {
      files = [try SafetensorsFile(whole)]
    } else if FileManager.default.fileExists(atPath: index) {
      files = try Self.parts(index).map { try SafetensorsFile("\(path)/\($0)") }
    } else {
      throw UserError(
        "has neither model.safetensors nor model.safetensors.index.json", at: path,
        remedy: "download the model's safetensors files into this folder")
    }
    fileOfTensor = Dictionary(
      files.enumerated().flatMap { number, file in file.names.map { ($0, number) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// Names of the files that an index lists, sorted.
  private static func parts(_ index: String) throws -> [String] {
    let entries = try JSONReader(contentsOf: index).entries()
    guard let map = entries.first(where: { $0.0 == "weight_map" })?.1 else {
      throw UserError(
        "the key \"weight_map\" is missing", at: index, remedy: "download the file again")
    }
    let names = try map.entries().map { key, reader in
      let name = try reader.string()
      guard !name.isEmpty, !name.contains("/") else {
        throw UserError(
          "\"\(name)\" is not a file of this folder", at: reader.place,
          remedy: "download the file again")
      }
      return name
    }
    return Set(names).sorted()
  }

  var names: [String] { Array(fileOfTensor.keys) }
  func hasTensor(_ name: String) -> Bool { fileOfTensor[name] != nil }
  func matrix(_ name: String) throws -> StoredMatrix { try file(name).matrix(name) }
  func vector(_ name: String) throws -> [Float] { try file(name).floats(name) }

  private func file(_ name: String) throws -> SafetensorsFile {
    guard let number = fileOfTensor[name] else {
      throw UserError(
        "has no tensor \"\(name)\"", at: path, remedy: "download the model's files again")
    }
    return files[number]
  }
}
