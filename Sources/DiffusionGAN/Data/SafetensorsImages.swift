import TensorCore

/// Images in a safetensors file: `images` `[n, channels, height, width]`, U8 in 0…255 or floating in
/// −1…1, and `labels` `[n]` where there are any.
enum SafetensorsImages {
  static func read(_ path: String, name: String) throws -> ImageDataset {
    let file = try SafetensorsFile(path)
    guard file.contains("images") else {
      let found = file.names.prefix(5).joined(separator: ", ")
      throw UserError(
        "has no array \"images\" (it has \(found.isEmpty ? "none" : found))", at: path,
        remedy: "name an array of shape [n, channels, height, width] \"images\"")
    }
    let extents = try file.shape(of: "images")
    guard extents.count == 4, extents.allSatisfy({ $0 > 0 }), [1, 3].contains(extents[1]) else {
      throw UserError(
        "\"images\" has the shape \(extents)", at: path,
        remedy: "it must be [n, channels, height, width] with 1 or 3 channels")
    }
    let pixels =
      try file.type(of: "images") == .uint8
      ? try file.bytes("images")
      : try PixelRounding.bytes(of: file.floats("images"), place: "\(path), images")
    let labels = file.contains("labels") ? try file.integers("labels") : nil
    return try ImageDataset(
      name: name,
      shape: ImageShape(channels: extents[1], height: extents[2], width: extents[3]),
      pixels: pixels, labels: labels)
  }
}
