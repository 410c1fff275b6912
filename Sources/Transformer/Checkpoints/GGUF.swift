import TensorCore

/// A model file in GGUF, versions 2 and 3, little-endian: metadata by key, then weights.
///
/// The file is mapped. Opening it reads the header alone; weights are read when they are used.
/// Source: the specification `docs/gguf.md` of ggml.
public struct GGUFFile: Sendable {
  /// Where and how a tensor is stored.
  public struct TensorEntry: Sendable {
    public let name: String
    /// GGUF's order: the first dimension varies fastest, so that a PyTorch weight
    /// `[rows, columns]` has the shape `[columns, rows]` here. One to four dimensions.
    public let shape: [Int]
    public let type: StoredType
    /// First byte, from the beginning of the file.
    public let offset: Int
    public let byteCount: Int

    /// Numbers in the first, fastest dimension.
    public var columns: Int { shape.first ?? 1 }
    /// Product of all other dimensions.
    public var rows: Int { shape.dropFirst().reduce(1, *) }
  }

  public let path: String
  public let version: Int
  public let metadata: [String: GGUFValue]
  public let tensors: [String: TensorEntry]
  let file: MappedFile

  /// Opens the file at `path` and checks everything that its header says.
  ///
  /// - Throws: `UserError` naming the file, for one that is not GGUF, is damaged, or has tensors in a
  ///   type that is not supported.
  public init(_ path: String) throws {
    let file = try MappedFile(path)
    var cursor = GGUFCursor(file)
    guard file.bytes.count >= 4, file.bytes.prefix(4).elementsEqual("GGUF".utf8) else {
      throw UserError("is not a GGUF file", at: path, remedy: "name a model file ending in .gguf")
    }
    try cursor.skip(4, "the header")
    version = try Self.version(&cursor)
    // A tensor takes at least 24 bytes here (empty name, one dimension), a key 13.
    let tensorCount = try cursor.count(minimumSize: 24, "the number of tensors")
    let keyCount = try cursor.count(minimumSize: 13, "the number of metadata keys")

    var metadata: [String: GGUFValue] = [:]
    for index in 0..<keyCount {
      let key = try cursor.string("metadata key \(index)")
      let value = try cursor.value(of: key)
      guard metadata.updateValue(value, forKey: key) == nil else {
        throw cursor.damaged("the metadata key \"\(key)\" occurs twice")
      }
    }
    let alignment = try Self.alignment(metadata, cursor)
    tensors = try GGUFTensorTable.read(tensorCount, alignment: alignment, from: &cursor)
    self.metadata = metadata
    self.path = path
    self.file = file
  }

  /// The weight `name` as a matrix: `columns` is GGUF's first dimension, `rows` the product of the
  /// others, which for two dimensions is PyTorch's `[rows, columns]`.
  public func matrix(_ name: String) throws -> StoredMatrix {
    let entry = try entry(name)
    let range = entry.offset..<entry.offset + entry.byteCount
    return try StoredMatrix(
      rows: entry.rows, columns: entry.columns, type: entry.type,
      bytes: UnsafeRawBufferPointer(rebasing: file.bytes[range]), owner: file)
  }

  /// All numbers of the weight `name`, in the file's order.
  public func vector(_ name: String) throws -> [Float] { try matrix(name).floats() }

  /// The entry of the tensor `name`.
  public func entry(_ name: String) throws -> TensorEntry {
    guard let entry = tensors[name] else {
      throw UserError(
        "has no tensor \"\(name)\"", at: path,
        remedy: "use a complete file of a supported architecture")
    }
    return entry
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

  private static func alignment(
    _ metadata: [String: GGUFValue], _ cursor: GGUFCursor
  ) throws -> Int {
    switch metadata["general.alignment"] {
    case nil: return 32
    case .unsigned(let value)? where value.nonzeroBitCount == 1 && value <= 1 << 30:
      return Int(value)
    default:
      throw cursor.damaged("general.alignment is not a power of two up to 2^30")
    }
  }
}
