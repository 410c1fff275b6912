import TensorCore

/// What one GGUF file says before its weights begin: metadata, and where each tensor lies.
struct GGUFHeader {
  let file: MappedFile
  let version: Int
  let metadata: GGUFMetadata
  /// By name.
  let tensors: [String: GGUFFile.TensorEntry]

  /// - Parameter part: number of the file among those of the model, for the entries.
  init(_ file: MappedFile, part: Int = 0) throws {
    self.file = file
    var cursor = GGUFCursor(file)
    guard file.bytes.starts(with: "GGUF".utf8) else {
      throw MisplacedFile.error(file.bytes, at: file.path)
        ?? UserError(
          "is not a GGUF file", at: file.path,
          remedy: "name a model file ending in .gguf, or a folder with config.json")
    }
    try cursor.skip(4, "the header")
    version = try Self.version(&cursor)
    // A tensor takes at least 24 bytes here (empty name, one dimension), a key 13.
    let tensorCount = try cursor.count(minimumSize: 24, "the number of tensors")
    let keyCount = try cursor.count(minimumSize: 13, "the number of metadata keys")
    metadata = GGUFMetadata(values: try Self.values(keyCount, &cursor), file: file)
    tensors = try GGUFTensorTable.read(
      tensorCount, alignment: try Self.alignment(metadata, cursor), part: part, from: &cursor)
  }

  private static func values(
    _ count: Int, _ cursor: inout GGUFCursor
  ) throws -> [String: GGUFValue] {
    var values: [String: GGUFValue] = [:]
    for index in 0..<count {
      let (key, isRepaired) = try cursor.repairedString("metadata key \(index)")
      let value = try cursor.value(of: key)
      guard let earlier = values.updateValue(value, forKey: key) else { continue }
      // Nobody asks for a key whose name is not UTF-8, and repair can make two of them alike.
      guard isRepaired else {
        throw cursor.damaged("the metadata key \"\(key)\" occurs twice")
      }
      values[key] = earlier
    }
    return values
  }

  private static func version(_ cursor: inout GGUFCursor) throws -> Int {
    let version = try cursor.number(UInt32.self, "the header")
    guard version & 0xFFFF != 0 || version == 0 else {
      throw UserError(
        "is a big-endian GGUF file, which is not supported", at: cursor.file.path,
        remedy: "use the little-endian file of the model")
    }
    guard version == 2 || version == 3 else {
      throw UserError(
        "is GGUF version \(version), supported are 2 and 3", at: cursor.file.path,
        remedy: "convert the model anew")
    }
    return Int(version)
  }

  private static func alignment(_ metadata: GGUFMetadata, _ cursor: GGUFCursor) throws -> Int {
    guard let alignment = try metadata.integer("general.alignment") else { return 32 }
    guard alignment > 0, alignment.nonzeroBitCount == 1, alignment <= 1 << 30 else {
      throw cursor.damaged("general.alignment is not a power of two up to 2^30")
    }
    return alignment
  }
}
