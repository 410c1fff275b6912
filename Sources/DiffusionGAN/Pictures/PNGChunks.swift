import Foundation

/// The chunks that a PNG file is made of.
///
/// Source: W3C, Portable Network Graphics (third edition), section 5: a signature of 8 bytes, then chunks of a
/// big-endian length, a type of four letters, data and a checksum.
enum PNGChunks {
  private static let signature = 8
  /// What of a chunk is not data.
  private static let frame = 12
  /// From these libpng would make values for a screen; models are shown the values that are stored.
  private static let colourSpaces: Set<String> = [
    "gAMA", "cHRM", "sRGB", "iCCP", "cICP", "mDCV", "cLLI",
  ]

  /// The file without the chunks that tell its colour space; as it is where its chunks are damaged.
  static func withoutColourSpaces(_ file: Data) -> Data {
    var kept = Data(file.prefix(signature))
    var rest = file.dropFirst(signature)
    while rest.count >= frame {
      let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
      guard length <= rest.count - frame else { return file }
      let chunk = rest.prefix(length + frame)
      let type = String(decoding: chunk.dropFirst(4).prefix(4), as: UTF8.self)
      // All of them stand before the pixels.
      if type == "IDAT" { break }
      if !colourSpaces.contains(type) { kept += chunk }
      rest = rest.dropFirst(length + frame)
    }
    return kept.count + rest.count == file.count ? file : kept + rest
  }
}
