import Foundation
import TensorCore

extension LanguageModel {
  /// SHA-256 of what the model was read from, in hexadecimal: of the file, or for a folder or a file
  /// in several parts of the names and digests of all that belongs to the model, so that other files
  /// beside them do not matter.
  ///
  /// - Parameter digests: what is remembered of earlier runs.
  /// - Throws: `UserError` for a file that cannot be read any more, or was changed since the model was read.
  public func digest(by digests: DigestCache) throws -> String {
    let digest = try digestOfFiles(by: digests)
    // Else a run would begin under the name of a model that is not the one that it has.
    try MappedFile.requireUnchanged()
    return digest
  }

  private func digestOfFiles(by digests: DigestCache) throws -> String {
    let isFolder = Files.isFolder(path)
    let folder = isFolder ? path : Files.folder(of: path)
    let names = isFolder ? try Self.modelFiles(inFolder: path) : Self.parts(ofFile: path)
    guard !names.isEmpty else { return try digests.digest(ofFile: path) }
    let lines = try names.map { "\($0) \(try digests.digest(ofFile: "\(folder)/\($0)"))\n" }
    return SHA256.hash(of: Data(lines.joined().utf8))
  }

  private static func modelFiles(inFolder path: String) throws -> [String] {
    guard let entries = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw UserError("the folder cannot be read", at: path, remedy: "check the permissions")
    }
    let texts = [
      "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors.index.json",
    ]
    // What a tokenizer is read from where there is no tokenizer.json.
    let pieces = ["tokenizer.model", "added_tokens.json", "special_tokens_map.json"]
    return entries.filter {
      texts.contains($0) || (pieces.contains($0) && !entries.contains("tokenizer.json"))
        || $0.hasSuffix(".safetensors")
    }.sorted()
  }

  /// All parts of a GGUF file that llama.cpp's `gguf-split` cut, or none for a whole file.
  private static func parts(ofFile path: String) -> [String] {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    guard let match = name.wholeMatch(of: /(.*)-\d{5}-of-(\d{5})\.gguf/),
      let count = Int(match.2), count > 1
    else { return [] }
    return (1...count).map { part in
      let digits = String(part)
      let number = String(repeating: "0", count: 5 - digits.count) + digits
      return "\(match.1)-\(number)-of-\(match.2).gguf"
    }
  }
}
