import Foundation
import TensorCore

/// The weights of a Hugging Face folder: `model.safetensors`, or the parts that
/// `model.safetensors.index.json` lists. The files are mapped.
///
/// Where both are there, the single file counts, as for transformers. The index decides which part a
/// tensor comes from, whatever else lies in the parts.
struct HuggingFaceFolder: CheckpointSource {
  static let weights = "model.safetensors"
  static let index = "model.safetensors.index.json"

  let path: String
  let notes: [String]
  private let files: [SafetensorsFile]
  /// Which file a tensor lies in.
  private let fileOfTensor: [String: Int]

  /// - Throws: `UserError` where there are no weights, or a part is missing, is damaged, or lacks a
  ///   tensor that the index says it has.
  init(_ path: String) throws {
    self.path = path
    let whole = "\(path)/\(Self.weights)"
    let index = "\(path)/\(Self.index)"
    let hasIndex = FileManager.default.fileExists(atPath: index)
    if FileManager.default.fileExists(atPath: whole) {
      let file = try SafetensorsFile(whole)
      files = [file]
      fileOfTensor = Dictionary(uniqueKeysWithValues: file.names.map { ($0, 0) })
      notes =
        hasIndex ? ["\(path): \(Self.weights) is read, \(Self.index) beside it is not"] : []
    } else if hasIndex {
      let places = try Self.places(index)
      let parts = Set(places.values).sorted()
      let missing = parts.first {
        !FileManager.default.fileExists(atPath: "\(path)/\($0)")
      }
      if let missing {
        throw UserError(
          "\(missing), a part of the weights that the index lists, is missing", at: path,
          remedy: "download it into this folder")
      }
      let files = try parts.map { try SafetensorsFile("\(path)/\($0)") }
      let numbers = Dictionary(uniqueKeysWithValues: zip(parts, parts.indices))
      fileOfTensor = places.compactMapValues { numbers[$0] }
      for (name, number) in fileOfTensor.sorted(by: { $0.key < $1.key })
      where !files[number].contains(name) {
        throw UserError(
          "the index gives the tensor \"\(name)\" to \(parts[number]), which does not have it",
          at: index, remedy: "download the model's files again")
      }
      self.files = files
      notes = zip(parts, files).compactMap { part, file in
        let strays = file.names.filter { places[$0] != part }
        guard let first = strays.first else { return nil }
        let more = strays.count > 1 ? " and \(strays.count - 1) more" : ""
        return
          "\(path)/\(part): \"\(first)\"\(more) ignored, as the index does not give it to this file"
      }
    } else {
      throw Self.withoutWeights(path)
    }
  }

  /// The file of each tensor that an index lists.
  private static func places(_ index: String) throws -> [String: String] {
    guard let map = try HuggingFaceConfig(contentsOf: index).entries["weight_map"] else {
      throw UserError(
        "the key \"weight_map\" is missing", at: index, remedy: "download the file again")
    }
    let pairs = try map.entries().map { key, reader in
      let name = try reader.string()
      guard !name.isEmpty, !name.contains("/"), !name.contains("\0") else {
        throw UserError(
          "\"\(name)\" is not a file of this folder", at: reader.place,
          remedy: "download the file again")
      }
      return (key, name)
    }
    guard !pairs.isEmpty else {
      throw UserError("lists no tensors", at: index, remedy: "download the file again")
    }
    return Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  var names: [String] { fileOfTensor.keys.sorted() }
  func hasTensor(_ name: String) -> Bool { fileOfTensor[name] != nil }
  func type(_ name: String) -> String? { try? file(name).typeName(of: name) }
  func shape(_ name: String) -> [Int]? { try? file(name).shape(of: name) }
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
