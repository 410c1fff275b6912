import Foundation
import TensorCore

@testable import Transformer

extension FuzzedReader {
  static func readSafetensors(_ bytes: [UInt8]) throws {
    let file = try SafetensorsFile(MappedFile(copying: bytes, path: "model.safetensors"))
    for name in file.names {
      let shape = try file.shape(of: name)
      let isKnown = (try? file.type(of: name)) != nil
      let bytes = try file.bytes(name)
      if let floats = try? file.floats(name) {
        precondition(floats.count == shape.reduce(1, *), "values do not fit the shape")
        precondition(isKnown && bytes.count >= floats.count)
      }
      _ = try? file.integers(name)
      _ = (try? file.matrix(name))?.floats()
    }
  }

  /// An index over two parts that are there.
  static func readSafetensorsIndex(_ bytes: [UInt8]) throws {
    let path = "\(folder)/sharded"
    if mkdir(path, 0o700) == 0 {
      let floats: [Float] = [1, 2]
      for (part, names) in [["a", "b"], ["b", "c"]].enumerated() {
        try Safetensors.write(
          names.map { (name: $0, shape: [2], values: floats) },
          to: "\(path)/model-0000\(part + 1)-of-00002.safetensors")
      }
    }
    try write(bytes, to: "\(path)/\(HuggingFaceFolder.index)")
    let weights = try HuggingFaceFolder(path)
    for name in weights.names {
      _ = try weights.vector(name)
      _ = weights.shape(name)
    }
  }
}
