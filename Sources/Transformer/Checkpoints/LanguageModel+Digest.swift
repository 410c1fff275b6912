import Foundation
import TensorCore

extension LanguageModel {
  /// SHA-256 of what the model was read from, in hexadecimal: of the file, or for a folder of the
  /// names and digests of its JSON files and weights, so that other files in it do not matter.
  public func digest() throws -> String {
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    guard isFolder.boolValue else { return try SHA256.hash(ofFile: path) }
    guard let entries = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw UserError("the folder cannot be read", at: path, remedy: "check the permissions")
    }
    // What a tokenizer is read from where there is no tokenizer.json.
    let pieces = ["tokenizer.model", "added_tokens.json", "special_tokens_map.json"]
    let files = entries.filter {
      [
        "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json",
      ].contains($0)
        || (pieces.contains($0) && !entries.contains("tokenizer.json"))
        || $0.hasSuffix(".safetensors")
    }
    let lines = try files.sorted().map {
      "\($0) \(try SHA256.hash(ofFile: "\(path)/\($0)"))\n"
    }
    return SHA256.hash(of: Data(lines.joined().utf8))
  }
}
