import TensorCore

@testable import DiffusionGAN

extension FuzzedReader {
  /// Files of torch and pickles of NVIDIA's networks: every array in every way, and the arguments.
  static func readTorch(_ bytes: [UInt8]) throws {
    let file = try TorchFile(MappedFile(copying: bytes, path: "weights.pt"))
    for name in file.names {
      let count = try file.shape(of: name).reduce(1, *)
      if let floats = try? file.floats(name) { precondition(floats.count == count) }
      if let integers = try? file.integers(name) { precondition(integers.count == count) }
    }
    _ = try? NetworkFile.configuration(of: file)
  }

  /// `.npz` files of reference statistics.
  static func readStatistics(_ bytes: [UInt8]) throws {
    let moments = try ReferenceMoments(MappedFile(copying: bytes, path: "statistics.npz"))
    precondition(moments.covariance.count == moments.dimension * moments.dimension)
  }
}
