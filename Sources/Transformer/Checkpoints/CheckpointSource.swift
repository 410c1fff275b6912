import TensorCore

/// Tensors by name, whatever kind of file they lie in.
protocol CheckpointSource {
  var path: String { get }
  /// Names of all tensors, sorted.
  var names: [String] { get }
  /// Remarks about how the files were read, for people.
  var notes: [String] { get }
  func hasTensor(_ name: String) -> Bool
  /// Name of the type that a tensor is stored in, be it readable or not; nil where there is none.
  func type(_ name: String) -> String?
  /// Dimensions, the last varying fastest, also for GGUF; nil where there is no such tensor.
  func shape(_ name: String) -> [Int]?
  func matrix(_ name: String) throws -> StoredMatrix
  func vector(_ name: String) throws -> [Float]
}

extension GGUFFile: CheckpointSource {
  var names: [String] { tensors.keys.sorted() }
  func hasTensor(_ name: String) -> Bool { tensors[name] != nil }
  func type(_ name: String) -> String? {
    tensors[name].map { GGUFTensorTable.typeName($0.typeID) }
  }
  func shape(_ name: String) -> [Int]? { tensors[name]?.shape.reversed() }
}
