/// Names what lies in place of the file that a reader wants, by its first bytes.
public enum MisplacedFile {
  /// An error that says what the file is, or nil where that is not known.
  ///
  /// To be asked when a file is not of the kind that the reader knows.
  public static func error(_ bytes: some Collection<UInt8>, at path: String) -> UserError? {
    guard let kind = kinds.first(where: { $0.isThere(Array(bytes.prefix(512))) }) else {
      return nil
    }
    return UserError("is \(kind.name)", at: path, remedy: kind.remedy)
  }

  private struct Kind {
    let name: String
    let remedy: String
    let isThere: @Sendable ([UInt8]) -> Bool
  }

  private static let weights = "get the model's safetensors files, or a GGUF file"

  private static let kinds = [
    Kind(
      name: "a web page, not the file itself",
      remedy: "download the file anew; a link to its page is not a link to the file"
    ) { head in
      let text = String(decoding: head, as: UTF8.self).drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        .lowercased()
      return ["<!doctype html", "<html", "<?xml", "<head"].contains { text.hasPrefix($0) }
    },
    Kind(
      name: "a zip archive, which PyTorch's .bin, .pt and .pth files are",
      remedy: weights
    ) { $0.starts(with: [0x50, 0x4B, 0x03, 0x04]) },
    Kind(
      // Protocols 2 to 5; a frame, a number, a mark or an import comes next, never a letter's code.
      name: "a Python pickle, as older PyTorch .bin and .pth files are, which is not read here",
      remedy: weights
    ) {
      $0.count > 2 && $0[0] == 0x80 && (2...5).contains($0[1])
        && [0x7D, 0x5D, 0x28, 0x63, 0x8A, 0x95].contains($0[2])
    },
    Kind(name: "a picture", remedy: "name the file of weights") { head in
      head.starts(with: [0x89] + Array("PNG".utf8)) || head.starts(with: [0xFF, 0xD8, 0xFF])
    },
    Kind(name: "compressed with gzip", remedy: "unpack it with gunzip") {
      $0.starts(with: [0x1F, 0x8B])
    },
    Kind(name: "an HDF5 file, as TensorFlow's weights are", remedy: weights) {
      $0.starts(with: [0x89, 0x48, 0x44, 0x46])
    },
    Kind(
      name: "a GGUF file", remedy: "name the file itself as the model"
    ) { $0.starts(with: "GGUF".utf8) },
    Kind(
      name: "a model file of llama.cpp from before GGUF",
      remedy: "convert the model anew, or download its GGUF file"
    ) { head in ["lmgg", "fmgg", "tjgg", "algg"].contains { head.starts(with: $0.utf8) } },
    Kind(
      name: "a safetensors file", remedy: "name the folder that it lies in as the model"
    ) { head in
      // The header's length in 8 bytes, at most 100 MB, then an object.
      head.count > 9 && head[3] < 6 && head[4..<8].allSatisfy { $0 == 0 }
        && head[8] == UInt8(ascii: "{")
    },
  ]
}
