import TensorCore

/// Files of weights in the formats that are published, told apart by how they begin.
public enum WeightsFile {
  /// Opens a safetensors file, a torch file (zipped or older), or a pickle of NVIDIA's networks.
  ///
  /// - Throws: `UserError` naming file and place.
  public static func open(_ path: String) throws -> any ArrayFile {
    let file = try MappedFile(path)
    return TorchFile.isThere(file) ? try TorchFile(file) : try SafetensorsFile(file)
  }
}
