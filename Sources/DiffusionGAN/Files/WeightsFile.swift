import TensorCore

/// Files of weights in the formats that are published, told apart by how they begin.
public enum WeightsFile {
  /// Opens a safetensors file, a torch file (zipped or older), or a pickle of NVIDIA's networks.
  ///
  /// - Throws: `UserError` naming file and place; of a TorchScript program, what to give in its
  ///   place.
  public static func open(_ path: String) throws -> any ArrayFile {
    let file = try MappedFile(path)
    guard TorchFile.isThere(file) else { return try SafetensorsFile(file) }
    do { return try TorchFile(file) } catch {
      throw TorchScript.isHeld(by: file) ? TorchScript.refusal(of: path) : error
    }
  }
}
