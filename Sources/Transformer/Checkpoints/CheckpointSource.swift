import TensorCore

/// Tensors by name, whatever kind of file they lie in.
protocol CheckpointSource {
  var path: String { get }
  /// Of all tensors.
  var names: [String] { get }
  func hasTensor(_ name: String) -> Bool
  func matrix(_ name: String) throws -> StoredMatrix
  func vector(_ name: String) throws -> [Float]
}

extension GGUFFile: CheckpointSource {
  var names: [String] { Array(tensors.keys) }
  func hasTensor(_ name: String) -> Bool { tensors[name] != nil }
}
