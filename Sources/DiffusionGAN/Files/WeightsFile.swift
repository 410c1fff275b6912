import Foundation
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

extension ArrayFile {
  /// What the metadata tell under `key`, of the network that the weights belong to.
  ///
  /// - Parameter writer: of files that tell it.
  /// - Throws: `UserError` if there is nothing, or it is no JSON.
  func configuration(_ key: String, of writer: String) throws -> JSONReader {
    guard let text = metadata[key] else {
      throw UserError(
        "does not tell which \(key) its weights belong to", at: path,
        remedy: "give a file that \(writer) wrote")
    }
    let place = "\(path), \(key)"
    return try JSONReader(JSONValue(parsing: Data(text.utf8), place: place), place: place)
  }
}
