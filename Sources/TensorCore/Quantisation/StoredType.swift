// The names are those of the format.
// swift-format-ignore: AlwaysUseLowerCamelCase
/// How the numbers of a matrix are stored, by GGUF's type id.
///
/// The quantised types pack `blockSize` neighbouring numbers of a row into `blockBytes` bytes; the
/// layouts are those of ggml and are described beside each unpacking function.
public enum StoredType: UInt32, Sendable, CaseIterable {
  case f32 = 0
  case f16 = 1
  case q4_0 = 2
  case q4_1 = 3
  case q5_0 = 6
  case q5_1 = 7
  case q8_0 = 8
  case q2_k = 10
  case q3_k = 11
  case q4_k = 12
  case q5_k = 13
  case q6_k = 14
  case iq4_nl = 20
  case bf16 = 30

  /// The name that model files and their makers use: `Q4_1`.
  public var name: String { "\(self)".uppercased() }

  /// Numbers in a block.
  public var blockSize: Int {
    switch self {
    case .f32, .f16, .bf16: 1
    case .q4_0, .q4_1, .q5_0, .q5_1, .q8_0, .iq4_nl: 32
    case .q2_k, .q3_k, .q4_k, .q5_k, .q6_k: 256
    }
  }

  /// Bytes in a block.
  public var blockBytes: Int {
    switch self {
    case .f32: 4
    case .f16, .bf16: 2
    case .q4_0, .iq4_nl: 18
    case .q4_1: 20
    case .q5_0: 22
    case .q5_1: 24
    case .q8_0: 34
    case .q2_k: 84
    case .q3_k: 110
    case .q4_k: 144
    case .q5_k: 176
    case .q6_k: 210
    }
  }

  /// Bytes of a row of `columns` numbers, or nil where `columns` is negative, not a multiple of
  /// `blockSize`, or too large to count.
  public func bytesPerRow(columns: Int) -> Int? {
    guard columns >= 0, columns.isMultiple(of: blockSize) else { return nil }
    let (bytes, overflow) = (columns / blockSize).multipliedReportingOverflow(by: blockBytes)
    return overflow ? nil : bytes
  }

  /// Unpacks `blocks` consecutive blocks to f32.
  ///
  /// - Parameters:
  ///   - source: `blocks * blockBytes` bytes, at any alignment.
  ///   - destination: room for `blocks * blockSize` numbers.
  func unpack(
    _ source: UnsafeRawPointer, blocks: Int, into destination: UnsafeMutablePointer<Float>
  ) {
    switch self {
    case .f32: Unpacking.f32(source, blocks, destination)
    case .f16: Unpacking.f16(source, blocks, destination)
    case .bf16: Unpacking.bf16(source, blocks, destination)
    case .q4_0: Unpacking.q4_0(source, blocks, destination)
    case .q4_1: Unpacking.q4_1(source, blocks, destination)
    case .q5_0: Unpacking.q5_0(source, blocks, destination)
    case .q5_1: Unpacking.q5_1(source, blocks, destination)
    case .q8_0: Unpacking.q8_0(source, blocks, destination)
    case .q2_k: Unpacking.q2_k(source, blocks, destination)
    case .q3_k: Unpacking.q3_k(source, blocks, destination)
    case .q4_k: Unpacking.q4_k(source, blocks, destination)
    case .q5_k: Unpacking.q5_k(source, blocks, destination)
    case .q6_k: Unpacking.q6_k(source, blocks, destination)
    case .iq4_nl: Unpacking.iq4_nl(source, blocks, destination)
    }
  }
}
