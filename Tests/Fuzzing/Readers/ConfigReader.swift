import TensorCore

@testable import Transformer

extension FuzzedReader {
  static func readConfig(_ bytes: [UInt8]) throws {
    let config = try HuggingFaceConfig(reader(bytes, place: "config.json"))
    try MixtureOfExperts.refuse(config, at: "folder")
    let model = try ModelDescription(config, family: Family(of: config))
    try QuantisedWeights.refuse(config, names: [], at: "folder")
    _ = HookPoint.all(in: model.architecture).count
    // Most do not fit tensors of one size.
    _ = try? LanguageModel.Weights(
      from: WeightReader(GenerousSource(), model.layout, model.architecture))
  }
}

/// A checkpoint that has every tensor, of one size.
private struct GenerousSource: CheckpointSource {
  let path = "weights"
  let names: [String] = []
  let notes: [String] = []
  private let size = 16

  func hasTensor(_ name: String) -> Bool { true }
  func type(_ name: String) -> String? { "F32" }
  func shape(_ name: String) -> [Int]? { [size, size] }
  func matrix(_ name: String) throws -> StoredMatrix {
    StoredMatrix(f32: Array(repeating: 1, count: size * size), rows: size, columns: size)
  }
  func vector(_ name: String) throws -> [Float] { Array(repeating: 1, count: size) }
}
