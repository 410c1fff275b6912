import Foundation

/// A safetensors file: named arrays behind a JSON header, mapped and read where they are used.
///
/// Source: the format's description at huggingface/safetensors.
public struct SafetensorsFile: Sendable {
  /// Number types that the format knows and this reader can tell the size of.
  public enum NumberType: String, Sendable, CaseIterable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case uint16 = "U16"
    case int16 = "I16"
    case uint32 = "U32"
    case int32 = "I32"
    case uint64 = "U64"
    case int64 = "I64"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case float32 = "F32"
    case float64 = "F64"

    /// Bytes of a number.
    public var size: Int {
      switch self {
      case .bool, .uint8, .int8: 1
      case .uint16, .int16, .float16, .bfloat16: 2
      case .uint32, .int32, .float32: 4
      case .uint64, .int64, .float64: 8
      }
    }

    /// How a matrix of such numbers is stored, if it can be unpacked to f32.
    var storedType: StoredType? {
      switch self {
      case .float32: .f32
      case .float16: .f16
      case .bfloat16: .bf16
      default: nil
      }
    }
  }

  /// Where and how an array is stored.
  struct Entry: Sendable {
    let shape: [Int]
    /// The header's `dtype`.
    let typeName: String
    /// Bytes from the beginning of the file.
    let range: Range<Int>

    /// nil for a type whose size is not known here; such an array is listed but never read.
    var type: NumberType? { NumberType(rawValue: typeName) }
  }

  public let path: String
  /// The header's `__metadata__`.
  public let metadata: [String: String]
  private let entries: [String: Entry]
  private let file: MappedFile

  /// Opens the file at `path` and checks its header.
  ///
  /// - Throws: `UserError` naming the file and the array at fault.
  public init(_ path: String) throws { try self.init(MappedFile(path)) }

  public init(_ file: MappedFile) throws {
    (entries, metadata) = try SafetensorsHeader.read(file)
    path = file.path
    self.file = file
  }

  /// Names of the arrays, sorted.
  public var names: [String] { entries.keys.sorted() }

  public func contains(_ name: String) -> Bool { entries[name] != nil }

  /// Dimensions, the last varying fastest; empty for a single number.
  public func shape(of name: String) throws -> [Int] { try entry(name).shape }

  /// - Throws: `UserError` for a type that this reader does not know.
  public func type(of name: String) throws -> NumberType { try type(of: entry(name), name) }

  /// The type's name as the file has it, known here or not.
  public func typeName(of name: String) throws -> String { try entry(name).typeName }

  /// Bytes that the tensor takes in the file.
  public func byteCount(of name: String) throws -> Int { try entry(name).range.count }

  /// The numbers of an F32, F16 or BF16 array, in row-major order.
  public func floats(_ name: String) throws -> [Float] {
    let entry = try entry(name)
    let count = try entry.range.count / type(of: entry, name).size
    return try stored(name, rows: 1, columns: count).floats()
  }

  /// The numbers of a whole-number array, in row-major order.
  public func integers(_ name: String) throws -> [Int] {
    let entry = try entry(name)
    let type = try type(of: entry, name)
    switch type {
    case .uint8, .bool: return numbers(entry, UInt8.self)
    case .int8: return numbers(entry, Int8.self)
    case .uint16: return numbers(entry, UInt16.self)
    case .int16: return numbers(entry, Int16.self)
    case .uint32: return numbers(entry, UInt32.self)
    case .int32: return numbers(entry, Int32.self)
    case .int64: return numbers(entry, Int64.self)
    case .uint64, .float16, .bfloat16, .float32, .float64:
      throw UserError(
        "\"\(name)\" is \(type.rawValue) where whole numbers belong", at: path,
        remedy: "convert it to I32 or I64")
    }
  }

  /// The bytes of an array, as they lie in the file.
  public func bytes(_ name: String) throws -> [UInt8] { [UInt8](file.bytes[try entry(name).range]) }

  /// A two-dimensional F32, F16 or BF16 array `[rows, columns]`, left in the file.
  public func matrix(_ name: String) throws -> StoredMatrix {
    let shape = try shape(of: name)
    guard shape.count == 2 else {
      throw UserError(
        "\"\(name)\" has the shape \(shape) where [rows, columns] belongs", at: path,
        remedy: "check that the file fits the model")
    }
    return try stored(name, rows: shape[0], columns: shape[1])
  }

  private func stored(_ name: String, rows: Int, columns: Int) throws -> StoredMatrix {
    let entry = try entry(name)
    guard let type = try type(of: entry, name).storedType else { throw unreadable(entry, name) }
    return try StoredMatrix(
      rows: rows, columns: columns, type: type,
      bytes: UnsafeRawBufferPointer(rebasing: file.bytes[entry.range]), owner: file)
  }

  private func type(of entry: Entry, _ name: String) throws -> NumberType {
    guard let type = entry.type else { throw unreadable(entry, name) }
    return type
  }

  private func unreadable(_ entry: Entry, _ name: String) -> UserError {
    let kind =
      switch entry.type {
      case .float64?: ""
      case nil where !entry.typeName.hasPrefix("F"): ""
      case nil: ", a quantised type"
      default: ", whole numbers as quantised weights have them"
      }
    return UserError(
      "\"\(name)\" is stored as \(entry.typeName)\(kind); readable are F32, F16 and BF16", at: path,
      remedy: kind.isEmpty ? "convert it to F32" : "use the model's unquantised files")
  }

  private func entry(_ name: String) throws -> Entry {
    guard let entry = entries[name] else {
      throw UserError(
        "has no array \"\(name)\"", at: path, remedy: "check that the file fits the model")
    }
    return entry
  }

  private func numbers<Number: FixedWidthInteger & BitwiseCopyable>(
    _ entry: Entry, _ type: Number.Type
  ) -> [Int] {
    let size = MemoryLayout<Number>.size
    return stride(from: entry.range.lowerBound, to: entry.range.upperBound, by: size).map {
      Int(Number(littleEndian: file.bytes.loadUnaligned(fromByteOffset: $0, as: Number.self)))
    }
  }
}
