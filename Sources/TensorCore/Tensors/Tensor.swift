/// An f32 array in row-major order: a value, copied when written while shared.
public struct Tensor: Sendable {
  /// Extent of each axis; the last one is contiguous.
  public let shape: [Int]
  private var buffer: FloatBuffer

  public var count: Int { buffer.count }

  /// Extent of the last axis; 1 for a scalar.
  public var columns: Int { shape.last ?? 1 }

  /// Number of rows when all axes but the last are taken together.
  public var rows: Int { columns == 0 ? 0 : count / columns }

  public init(zeros shape: [Int]) {
    self.init(uninitialised: shape)
    buffer.pointer.initialize(repeating: 0, count: count)
  }

  /// - Precondition: `values.count` is the product of `shape`.
  public init(_ values: [Float], shape: [Int]) {
    self.init(uninitialised: shape)
    precondition(values.count == count, "\(values.count) values for shape \(shape)")
    values.withUnsafeBufferPointer { source in
      if let start = source.baseAddress {
        buffer.pointer.update(from: start, count: values.count)
      }
    }
  }

  /// A tensor that `fill` writes whole.
  public init(shape: [Int], filling fill: (UnsafeMutablePointer<Float>) throws -> Void) rethrows {
    self.init(uninitialised: shape)
    try fill(buffer.pointer)
  }

  /// A tensor over `buffer`, which nobody else writes from now on.
  public init(adopting buffer: FloatBuffer, shape: [Int]) {
    precondition(buffer.count == shape.reduce(1, *), "\(buffer.count) values for shape \(shape)")
    self.shape = shape
    self.buffer = buffer
  }

  private init(uninitialised shape: [Int]) {
    self.shape = shape
    buffer = FloatBuffer(count: shape.reduce(1, *))
  }

  /// All values, first row first.
  public var values: [Float] { Array(UnsafeBufferPointer(start: buffer.pointer, count: count)) }

  /// Row `index`, the last axis.
  public func row(_ index: Int) -> [Float] {
    precondition(index >= 0 && index < rows)
    return Array(UnsafeBufferPointer(start: buffer.pointer + index * columns, count: columns))
  }

  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count)
      return buffer.pointer[index]
    }
    set {
      precondition(index >= 0 && index < count)
      makeUnique()
      buffer.pointer[index] = newValue
    }
  }

  /// Reads the values in place; the pointer is valid inside `body` only.
  public func withPointer<Result>(
    _ body: (UnsafePointer<Float>) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(buffer) { try body(UnsafePointer(buffer.pointer)) }
  }

  /// Writes the values in place; the pointer is valid inside `body` only.
  public mutating func withMutablePointer<Result>(
    _ body: (UnsafeMutablePointer<Float>) throws -> Result
  ) rethrows -> Result {
    makeUnique()
    return try body(buffer.pointer)
  }

  private mutating func makeUnique() {
    guard !isKnownUniquelyReferenced(&buffer) else { return }
    let copy = FloatBuffer(count: count)
    copy.pointer.update(from: buffer.pointer, count: count)
    buffer = copy
  }
}
