import Foundation
import TensorCore

/// Activations that a run keeps beside its rows: `activations/KEY.safetensors`, a file a unit, for
/// experiments that fit something. A file is there whole or not at all, so that one that is there is
/// a unit that is done.
public struct ActivationStore: Sendable {
  public let folder: String

  /// - Parameter path: folder of the run; nothing is made before the first `write`.
  public init(run path: String) { folder = path + "/activations" }

  /// Name of an array: of a hook point, at the positions of a role.
  public static func name(hook: String, role: String) -> String { "\(hook)|\(role)" }

  /// The file of a unit: its key with what a file name may not hold as `%` and two digits, so that no
  /// two keys share a file; a key too long for a name ends in its digest.
  public func path(for key: String) -> String {
    // The empty key too has a name, which no other can have.
    var name = key.isEmpty ? "%" : ""
    for byte in key.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        name.unicodeScalars.append(Unicode.Scalar(byte))
      default: name += String(format: "%%%02X", byte)
      }
    }
    // Most file systems stop at 255 bytes, which the name of a temporary file needs too.
    if name.utf8.count > 200 {
      name = "\(name.prefix(130))-\(SHA256.hash(of: Data(key.utf8)))"
    }
    return "\(folder)/\(name).safetensors"
  }

  /// Whether the unit's file is there and whole.
  public func contains(_ key: String) -> Bool {
    let path = path(for: key)
    return access(path, F_OK) == 0 && (try? SafetensorsFile(path)) != nil
  }

  /// Writes a unit's tensors, in one piece and flushed to the disk.
  ///
  /// - Parameter tensors: by name; see `name(hook:role:)`.
  /// - Throws: `UserError`, also where a mapped file was changed: a unit whose file is there is done.
  public func write(_ tensors: [(name: String, tensor: Tensor)], for key: String) throws {
    try MappedFile.requireUnchanged()
    try Files.makeFolder(folder)
    try Safetensors.write(
      tensors.map { ($0.name, $0.tensor.shape, $0.tensor.values) }, metadata: ["key": key],
      to: path(for: key))
  }

  /// Maps a unit's tensors.
  ///
  /// - Parameter shapes: shapes that tensors must have, by name; others may be there.
  /// - Throws: `UserError` where the unit is not there, the file is another unit's, or a tensor is
  ///   missing or has another shape.
  public func tensors(
    for key: String, shapes: [String: [Int]] = [:]
  ) throws -> SafetensorsFile {
    let path = path(for: key)
    let remedy =
      "compute it anew with: \(ShellWord.line(["rm", path])), and run the same command again"
    let file: SafetensorsFile
    do {
      file = try SafetensorsFile(path)
    } catch let error as UserError {
      guard access(path, F_OK) == 0 else {
        throw UserError(
          "the activations of \"\(key)\" are not there", at: path,
          remedy: "run the same command again")
      }
      throw UserError(error.problem, at: error.place, remedy: remedy)
    }
    guard file.metadata["key"] == key else {
      throw UserError(
        "holds the activations of \"\(file.metadata["key"] ?? "nothing named")\" where those of "
          + "\"\(key)\" belong", at: path, remedy: remedy)
    }
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      guard file.contains(name) else {
        throw UserError("has no array \"\(name)\"", at: path, remedy: remedy)
      }
      let found = try file.shape(of: name)
      guard found == shape, try file.type(of: name) == .float32 else {
        throw UserError(
          "\"\(name)\" is \(try file.type(of: name).rawValue) of the shape \(found) where F32 of "
            + "\(shape) belongs", at: path, remedy: remedy)
      }
    }
    return file
  }
}
