/// A metadata value of a GGUF file.
public enum GGUFValue: Sendable {
  case unsigned(UInt64)
  case signed(Int64)
  case float(Double)
  case bool(Bool)
  case string(String)
  /// A text that is not UTF-8, as it lies in the file.
  case bytes([UInt8])
  case array(GGUFArray)
}

extension GGUFValue {
  /// A whole number that fits `Int`.
  var integer: Int? {
    switch self {
    case .unsigned(let value): Int(exactly: value)
    case .signed(let value): Int(value)
    default: nil
    }
  }
}

extension GGUFValue: CustomStringConvertible {
  /// What it is, for error messages: `the text "500000.0"`.
  public var description: String {
    switch self {
    case .unsigned(let value): "the whole number \(value)"
    case .signed(let value): "the whole number \(value)"
    case .float(let value): "the number \(value)"
    case .bool(let flag): flag ? "true" : "false"
    case .string(let text):
      text.count > 40 ? "the text \"\(text.prefix(40))…\"" : "the text \"\(text)\""
    case .bytes: "a text that is not UTF-8"
    case .array(let array): "a list of \(array.count) \(array.elementKind.plural)"
    }
  }
}

/// An array of a GGUF file, left where it is: a vocabulary's hundred thousand strings are decoded
/// when somebody asks for them.
public struct GGUFArray: Sendable {
  public let elementKind: GGUFKind
  public let count: Int
  /// Offset of the first element in the file. Bounds were checked when the file was opened.
  let offset: Int
}

/// GGUF's type ids of metadata values.
public enum GGUFKind: UInt32, Sendable, Hashable {
  case uint8 = 0
  case int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

  /// Kinds that hold whole numbers.
  static let integers: Set<GGUFKind> = [
    .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64,
  ]

  /// What a list of them holds, for error messages.
  var plural: String {
    switch self {
    case .bool: "true and false"
    case .string: "texts"
    case .array: "lists"
    case .float32, .float64: "numbers"
    default: "whole numbers"
    }
  }

  /// Bytes of a value, or nil where values differ in length.
  var size: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }
}
