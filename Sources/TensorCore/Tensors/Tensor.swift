/// An f32 array in row-major order: a value, copied when written while shared.
public struct Tensor: Sendable {
  /// Extent of each axis; the last one is contiguous.
  public let shape: [Int]
  private var buffer: FloatBuffer
  /// How the values came about, where a recording wants to know.
  private(set) var node: Node?

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

  /// The values of `tensor` in another shape of the same count, with another origin.
  init(sharing tensor: Tensor, shape: [Int], node: Node? = nil) {
    self.shape = shape
    buffer = tensor.buffer
    self.node = node
  }

  /// One number.
  public init(_ value: Float) { self.init([value], shape: []) }

  /// The same number everywhere.
  public init(repeating value: Float, shape: [Int]) {
    self.init(uninitialised: shape)
    buffer.pointer.initialize(repeating: value, count: count)
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

  /// The memory, for kernels to read.
  var storage: FloatBuffer { buffer }

  /// Whether writing would not have to copy.
  mutating func isUnique() -> Bool { isKnownUniquelyReferenced(&buffer) }

  private mutating func makeUnique() {
    precondition(!isRecorded, "write into a tensor of shape \(shape) that a recording follows")
    node = nil
    guard !isKnownUniquelyReferenced(&buffer) else { return }
    let copy = FloatBuffer(count: count)
    copy.pointer.update(from: buffer.pointer, count: count)
    buffer = copy
  }
}
