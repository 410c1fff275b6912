import TensorCore

/// Files of `torch.save` since version 1.6: a zip archive of `NAME/data.pkl` and, for each storage,
/// `NAME/data/KEY`.
enum TorchArchive {
  static func read(_ file: MappedFile) throws -> TorchPickle {
    let archive = try ZipArchive(file)
    let path = file.path
    guard
      let root = archive.entries.first(where: {
        $0.name == "data.pkl" || $0.name.hasSuffix("/data.pkl")
      })
    else {
      throw UserError(
        "is a zip archive without data.pkl", at: path,
        remedy: "give a file of weights that torch.save or safetensors wrote")
    }
    let folder = root.name.dropLast("data.pkl".count)
    let entries = Dictionary(
      archive.entries.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    func stored(_ entry: ZipArchive.Entry) throws -> FileBytes {
      guard entry.isStored else {
        throw UserError(
          "is compressed, which torch.save never does", at: "\(path), \(entry.name)",
          remedy: "load it and save it again with torch.save")
      }
      return try archive.contents(of: entry)
    }
    if let order = entries[folder + "byteorder"] {
      let text = String(decoding: try stored(order).array, as: UTF8.self)
      guard text == "little" else {
        throw UserError(
          "has its numbers in the order \"\(text.prefix(20))\"", at: path,
          remedy: "save it again on a little-endian machine")
      }
    }
    let place = "\(path), \(root.name)"
    var reader = PickleReader(try stored(root), place: place)
    let pickle = try reader.read()
    let prefix = folder + "data/"
    return TorchPickle(pickle, place: place) { key in
      guard let entry = entries[prefix + key] else {
        throw UserError(
          "holds no storage \"\(key)\"", at: path, remedy: "download or copy the file again")
      }
      return try stored(entry)
    }
  }
}
