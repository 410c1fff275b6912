import TensorCore

/// A model in GGUF, versions 2 and 3, little-endian: metadata by key, then weights.
///
/// The file is mapped. Opening it reads the header alone; weights are read when they are used. A model
/// that was split into several files is opened by any of them: see `GGUFParts`.
/// Source: the specification `docs/gguf.md` of ggml.
public struct GGUFFile: Sendable {
  /// Where and how a tensor is stored.
  public struct TensorEntry: Sendable {
    public let name: String
    /// GGUF's order: the first dimension varies fastest, so that a PyTorch weight
    /// `[rows, columns]` has the shape `[columns, rows]` here. One to four dimensions.
    public let shape: [Int]
    /// GGUF's number of the type.
    let typeID: UInt32
    /// Number of the file among the model's parts.
    let part: Int
    /// First byte, from the beginning of its file.
    public let offset: Int
    /// 0 for a type that is not supported.
    public let byteCount: Int

    /// nil for a type that is not supported; such a tensor is listed but never read.
    public var type: StoredType? { StoredType(rawValue: typeID) }
    /// Numbers in the first, fastest dimension.
    public var columns: Int { shape.first ?? 1 }
    /// Product of all other dimensions.
    public var rows: Int { shape.dropFirst().reduce(1, *) }
  }

  public let path: String
  public let version: Int
  /// What all readers of metadata ask; of a split model, the first part's.
  let values: GGUFMetadata
  public let tensors: [String: TensorEntry]
  /// Remarks about how the model was read, for people.
  public let notes: [String]
  private let files: [MappedFile]

  /// Opens the file at `path`, with the other parts if it is one of several, and checks everything
  /// that headers say.
  ///
  /// - Throws: `UserError` naming the file, for one that is not GGUF, is damaged, or lacks a part.
  public init(_ path: String) throws { try self.init(MappedFile(path)) }

  init(_ file: MappedFile) throws {
    let header = try GGUFHeader(file)
    let parts = try GGUFParts(header) ?? GGUFParts(whole: header)
    path = file.path
    version = parts.first.version
    values = parts.first.metadata
    tensors = parts.tensors
    notes = parts.notes
    files = parts.files
  }

  /// Metadata by key.
  public var metadata: [String: GGUFValue] { values.values }

  /// The paths of all files that the model lies in.
  public var paths: [String] { files.map(\.path) }

  /// The weight `name` as a matrix: `columns` is GGUF's first dimension, `rows` the product of the
  /// others, which for two dimensions is PyTorch's `[rows, columns]`.
  ///
  /// - Throws: `UserError` where there is no such tensor or its type is not supported.
  public func matrix(_ name: String) throws -> StoredMatrix {
    let entry = try entry(name)
    let file = files[entry.part]
    guard let type = entry.type else {
      throw GGUFTensorTable.unsupported(entry.typeID, "tensor \"\(name)\"", at: file.path)
    }
    let range = entry.offset..<entry.offset + entry.byteCount
    return try StoredMatrix(
      rows: entry.rows, columns: entry.columns, type: type,
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
}
