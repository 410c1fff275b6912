/// A row-major matrix `[rows, columns]` as a file stores it, unpacked to f32 where it is needed.
///
/// Its bytes belong to `owner`, a mapped file or a buffer of its own, and never change.
public struct StoredMatrix: @unchecked Sendable {
  public let rows: Int
  public let columns: Int
  public let type: StoredType
  /// First byte of row 0, at any alignment.
  public let base: UnsafeRawPointer
  /// Distance in bytes from a row to the next.
  public let bytesPerRow: Int
  /// What keeps the bytes alive.
  public let owner: any AnyObject & Sendable

  /// A matrix over bytes that `owner` keeps alive and unchanged.
  ///
  /// - Throws: `UserError` if a row is not a whole number of blocks or `bytes` has not exactly the
  ///   size of the matrix.
  public init(
    rows: Int, columns: Int, type: StoredType, bytes: UnsafeRawBufferPointer,
    owner: any AnyObject & Sendable
  ) throws {
    guard rows >= 0, let bytesPerRow = type.bytesPerRow(columns: columns) else {
      throw UserError(
        "a matrix [\(rows), \(columns)] cannot be stored as \(type.name), whose rows are whole "
          + "blocks of \(type.blockSize)")
    }
    let (size, overflow) = rows.multipliedReportingOverflow(by: bytesPerRow)
    guard !overflow, size == bytes.count, let base = bytes.baseAddress else {
      throw UserError(
        "a matrix [\(rows), \(columns)] of \(type.name) does not fit its \(bytes.count) bytes")
    }
    self.rows = rows
    self.columns = columns
    self.type = type
    self.base = base
    self.bytesPerRow = bytesPerRow
    self.owner = owner
  }

  /// An f32 matrix with storage of its own, at a 64-byte boundary.
  ///
  /// - Parameter values: `[rows, columns]`, row-major; exactly `rows * columns` of them.
  public init(f32 values: [Float], rows: Int, columns: Int) {
    precondition(values.count == rows * columns, "values do not fit [\(rows), \(columns)]")
    let storage = AlignedBuffer(byteCount: values.count * 4)
    values.withUnsafeBytes { storage.bytes.copyMemory(from: $0) }
    self.rows = rows
    self.columns = columns
    type = .f32
    base = UnsafeRawPointer(storage.start)
    bytesPerRow = columns * 4
    owner = storage
  }

  /// The rows `range` of `whole`, in its memory.
  init(rowsOf whole: StoredMatrix, _ range: Range<Int>) {
    rows = range.count
    columns = whole.columns
    type = whole.type
    base = whole.base + range.lowerBound * whole.bytesPerRow
    bytesPerRow = whole.bytesPerRow
    owner = whole.owner
  }

  /// Unpacks the rows of `range` to f32.
  ///
  /// - Parameter destination: room for `[range.count, columns]`, row-major without gaps.
  public func unpackRows(_ range: Range<Int>, into destination: UnsafeMutablePointer<Float>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows outside the matrix")
    // Rows follow each other without gaps, so many rows are one long row.
    let blocks = range.count * (columns / type.blockSize)
    withExtendedLifetime(owner) {
      type.unpack(base + range.lowerBound * bytesPerRow, blocks: blocks, into: destination)
    }
  }

  /// Unpacks some columns of a row, whole blocks, to f32.
  func unpack(
    _ columns: Range<Int>, ofRow row: Int, into destination: UnsafeMutablePointer<Float>
  ) {
    withExtendedLifetime(owner) {
      type.unpack(
        base + row * bytesPerRow + columns.lowerBound / type.blockSize * type.blockBytes,
        blocks: columns.count / type.blockSize, into: destination)
    }
  }

  /// All numbers as f32, `[rows, columns]` row-major.
  public func floats() -> [Float] {
    [Float](unsafeUninitializedCapacity: rows * columns) { buffer, count in
      guard let start = buffer.baseAddress else { return }
      unpackRows(0..<rows, into: start)
      count = rows * columns
    }
  }
}
