import TensorCore

/// Reads a GGUF file's bytes from front to back and never past the end.
///
/// Every length comes from the file and may lie, so each is compared with the bytes that are left
/// before anything is read or reserved.
struct GGUFCursor {
  let file: MappedFile
  private(set) var offset = 0

  init(_ file: MappedFile, offset: Int = 0) {
    self.file = file
    self.offset = offset
  }

  var bytesLeft: Int { file.bytes.count - offset }

  /// An error about this file with the remedy that fits damaged files.
  func damaged(_ problem: String) -> UserError {
    UserError(problem, at: file.path, remedy: "download or copy the file again")
  }

  /// A little-endian number.
  mutating func number<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, _ what: @autoclosure () -> String
  ) throws -> Number {
    try require(MemoryLayout<Number>.size, what())
    defer { offset += MemoryLayout<Number>.size }
    return Number(
      littleEndian: file.bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
  }

  /// A count of things that take at least `minimumSize` bytes each.
  mutating func count(minimumSize: Int, _ what: @autoclosure () -> String) throws -> Int {
    let claimed = try number(UInt64.self, what())
    guard claimed <= UInt64(bytesLeft / minimumSize) else {
      throw damaged("\(what()) is \(claimed), more than the rest of the file can hold")
    }
    return Int(claimed)
  }

  mutating func skip(_ count: Int, _ what: @autoclosure () -> String) throws {
    try require(count, what())
    offset += count
  }

  /// A string: its length in 8 bytes, then UTF-8.
  mutating func string(_ what: @autoclosure () -> String) throws -> String {
    let (string, isRepaired) = try repairedString(what())
    guard !isRepaired else { throw damaged("\(what()) is not valid UTF-8") }
    return string
  }

  /// A string with U+FFFD for what is not UTF-8, and whether there was such.
  mutating func repairedString(
    _ what: @autoclosure () -> String
  ) throws -> (text: String, isRepaired: Bool) {
    let text = try bytes(what())
    // Decoding repairs what is not UTF-8, which the comparison finds; `String(validating:)` takes
    // several times as long, and a vocabulary has a hundred thousand strings.
    var string = String(decoding: text, as: UTF8.self)
    return (string, !string.withUTF8({ $0.elementsEqual(text) }))
  }

  /// A string's bytes: its length in 8 bytes, then as many.
  private mutating func bytes(
    _ what: @autoclosure () -> String
  ) throws -> UnsafeRawBufferPointer {
    let length = try count(minimumSize: 1, "the length of \(what())")
    defer { offset += length }
    return UnsafeRawBufferPointer(rebasing: file.bytes[offset..<offset + length])
  }

  mutating func kind(_ what: @autoclosure () -> String) throws -> GGUFKind {
    let id = try number(UInt32.self, "the type of \(what())")
    guard let kind = GGUFKind(rawValue: id) else {
      throw damaged("\(what()) has the unknown value type \(id), known are 0 to 12")
    }
    return kind
  }

  /// The value of the metadata key `key`.
  mutating func value(of key: String) throws -> GGUFValue {
    let what = "metadata \"\(key)\""
    switch try kind(what) {
    case .uint8: return .unsigned(UInt64(try number(UInt8.self, what)))
    case .uint16: return .unsigned(UInt64(try number(UInt16.self, what)))
    case .uint32: return .unsigned(UInt64(try number(UInt32.self, what)))
    case .uint64: return .unsigned(try number(UInt64.self, what))
    case .int8: return .signed(Int64(try number(Int8.self, what)))
    case .int16: return .signed(Int64(try number(Int16.self, what)))
    case .int32: return .signed(Int64(try number(Int32.self, what)))
    case .int64: return .signed(try number(Int64.self, what))
    case .float32: return .float(Double(Float(bitPattern: try number(UInt32.self, what))))
    case .float64: return .float(Double(bitPattern: try number(UInt64.self, what)))
    case .bool: return .bool(try number(UInt8.self, what) != 0)
    case .string:
      let begin = self
      let (text, isRepaired) = try repairedString(what)
      guard isRepaired else { return .string(text) }
      self = begin
      return .bytes(Array(try bytes(what)))
    case .array: return .array(try array(what, depth: 1))
    }
  }

  /// Notes where an array lies and steps over it.
  private mutating func array(_ what: String, depth: Int) throws -> GGUFArray {
    guard depth <= 4 else { throw damaged("\(what) nests arrays more than 4 deep") }
    let elementKind = try kind(what)
    let smallest =
      switch elementKind {
      case .string: 8
      case .array: 12
      default: elementKind.size ?? 1
      }
    let count = try count(minimumSize: smallest, "the length of \(what)")
    let array = GGUFArray(elementKind: elementKind, count: count, offset: offset)
    if let size = elementKind.size {
      // Cannot overflow: `count` elements fit the rest of the file.
      offset += count * size
    } else if elementKind == .string {
      for _ in 0..<count {
        let length = try self.count(minimumSize: 1, "the length of a text of \(what)")
        offset += length
      }
    } else {
      for _ in 0..<count { _ = try self.array(what, depth: depth + 1) }
    }
    return array
  }

  private func require(_ count: Int, _ what: @autoclosure () -> String) throws {
    guard count <= bytesLeft else {
      throw damaged("is cut short: it ends at byte \(file.bytes.count), within \(what())")
    }
  }
}
