/// Some bytes of a file, which keep it in memory.
public struct FileBytes: Sendable {
  public let file: MappedFile
  public let range: Range<Int>

  public init(_ file: MappedFile, _ range: Range<Int>) {
    self.file = file
    self.range = range
  }

  public init(_ file: MappedFile) { self.init(file, 0..<file.bytes.count) }

  public var count: Int { range.count }

  /// A copy.
  public var array: [UInt8] { withBytes { Array($0) } }

  /// Calls `body` with the bytes, which are valid until it returns.
  public func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(file) {
      try body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
    }
  }

  /// Some of these bytes, counted from their beginning.
  public subscript(part: Range<Int>) -> FileBytes {
    precondition(part.lowerBound >= 0 && part.upperBound <= count, "\(part) of \(count) bytes")
    return FileBytes(file, range.lowerBound + part.lowerBound..<range.lowerBound + part.upperBound)
  }

  /// The number whose bytes, the lowest first, begin at `position`.
  public func number<Number: FixedWidthInteger & BitwiseCopyable>(
    at position: Int, _ type: Number.Type = Number.self
  ) -> Number {
    withBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: type)) }
  }
}
