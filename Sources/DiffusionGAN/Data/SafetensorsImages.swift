import TensorCore

/// Images in a safetensors file: `images` `[n, channels, height, width]`, U8 in 0…255 or floating in
/// −1…1, and `labels` where there are any: `[n]` numbers, or `[n, classes]` one-hot.
enum SafetensorsImages {
  /// - Parameter mayBeBright: no value below 0 is no reason to take floating pictures for such in 0…1.
  static func read(_ path: String, name: String, mayBeBright: Bool = false) throws -> ImageDataset {
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
    guard let type = try? file.type(of: "images"),
      [.uint8, .float16, .bfloat16, .float32].contains(type)
    else {
      throw UserError(
        "\"images\" is an array of \(try file.typeName(of: "images"))", at: path,
        remedy: "store pictures as U8 in 0…255, or as F32, F16 or BF16 in −1…1")
    }
    let pixels =
      type == .uint8
      ? try file.bytes("images")
      : try bytes(of: file.floats("images"), mayBeBright: mayBeBright, place: "\(path), images")
    let (labels, classes) = try labels(in: file)
    return try ImageDataset(
      name: name,
      shape: ImageShape(channels: extents[1], height: extents[2], width: extents[3]),
      pixels: pixels, labels: labels, classCount: classes)
  }

  /// Pictures in 0…1 would pass for pale ones, normalised ones for ones of strong contrast. A few values beyond are
  /// what samplers overshoot by.
  private static func bytes(of values: [Float], mayBeBright: Bool, place: String) throws -> [UInt8]
  {
    let bytes = try PixelRounding.bytes(of: values, place: place)
    let beyond = values.count { abs($0) > 1.5 }
    guard beyond * 20 <= values.count else {
      throw UserError(
        "\(100 * beyond / values.count) % of the values lie beyond ±1.5, and pictures are in −1…1 here",
        at: place,
        remedy: "undo how they were normalised, or store them as U8 in 0…255")
    }
    let below = values.count { $0 < -0.02 }
    guard mayBeBright || below * 1000 > values.count else {
      throw UserError(
        "holds next to no value below 0, and pictures are in −1…1 here", at: place,
        remedy: "scale pictures in 0…1 by 2·x − 1, or store them as U8 in 0…255")
    }
    return bytes
  }

  private static func labels(in file: SafetensorsFile) throws -> (labels: [Int]?, classes: Int?) {
    guard file.contains("labels") else { return (nil, nil) }
    let shape = try file.shape(of: "labels")
    guard shape.count == 2 else { return (try file.integers("labels"), nil) }
    let type = try file.type(of: "labels")
    let isFloating = [.float16, .bfloat16, .float32].contains(type)
    let values =
      try isFloating
      ? file.floats("labels").map(Double.init) : file.integers("labels").map(Double.init)
    let labels = try stride(from: 0, to: values.count, by: max(shape[1], 1)).map {
      try OneHotLabel.integer(
        values[$0..<min($0 + shape[1], values.count)], place: "\(file.path), labels")
    }
    return (labels, shape[1])
  }
}
