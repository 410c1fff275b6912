/// A metadata value of a GGUF file.
public enum GGUFValue: Sendable {
  case unsigned(UInt64)
  case signed(Int64)
  case float(Double)
  case bool(Bool)
  case string(String)
  case array(GGUFArray)
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
public enum GGUFKind: UInt32, Sendable {
  case uint8 = 0
  case int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

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
