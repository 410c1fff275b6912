import TensorCore

/// The numbers that one or several tensors of a torch file look at.
struct TorchStorage: Sendable {
  let bytes: FileBytes
  let type: SafetensorsFile.NumberType

  /// Numbers in it.
  var count: Int { bytes.count / type.size }

  /// The type that a class of torch's storages stands for, by its name without the module.
  static func type(ofStorage name: String) -> SafetensorsFile.NumberType? {
    switch name {
    case "DoubleStorage": .float64
    case "FloatStorage": .float32
    case "HalfStorage": .float16
    case "BFloat16Storage": .bfloat16
    case "LongStorage": .int64
    case "IntStorage": .int32
    case "ShortStorage": .int16
    case "CharStorage": .int8
    case "ByteStorage", "UntypedStorage": .uint8
    case "BoolStorage": .bool
    default: nil
    }
  }

  /// The floating-point numbers from `first` on.
  ///
  /// - Throws: `UserError` for whole numbers.
  func floats(_ range: Range<Int>, place: String) throws -> [Float] {
    let part = part(range)
    switch type {
    case .float64:
      return numbers(part, UInt64.self).map { Float(Double(bitPattern: $0)) }
    case .float32: return numbers(part, UInt32.self).map { Float(bitPattern: $0) }
    case .float16, .bfloat16:
      return try part.withBytes {
        try StoredMatrix(
          rows: 1, columns: range.count, type: type == .float16 ? .f16 : .bf16, bytes: $0,
          owner: part.file
        ).floats()
      }
    default:
      throw UserError(
        "is stored as \(type.rawValue) where floating-point numbers belong", at: place,
        remedy: "check that the file fits the network")
    }
  }

  /// - Throws: `UserError` for floating-point numbers.
  func integers(_ range: Range<Int>, place: String) throws -> [Int] {
    let part = part(range)
    switch type {
    case .uint8, .bool: return numbers(part, UInt8.self).map(Int.init)
    case .int8: return numbers(part, Int8.self).map(Int.init)
    case .int16: return numbers(part, Int16.self).map(Int.init)
    case .int32: return numbers(part, Int32.self).map(Int.init)
    case .int64: return numbers(part, Int64.self).map(Int.init)
    default:
      throw UserError(
        "is stored as \(type.rawValue) where whole numbers belong", at: place,
        remedy: "check that the file fits the network")
    }
  }

  private func part(_ range: Range<Int>) -> FileBytes {
    bytes[range.lowerBound * type.size..<range.upperBound * type.size]
  }

  private func numbers<Number: FixedWidthInteger & BitwiseCopyable>(
    _ part: FileBytes, _ type: Number.Type
  ) -> [Number] {
    part.withBytes { bytes in
      stride(from: 0, to: bytes.count, by: MemoryLayout<Number>.size).map {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: type))
      }
    }
  }
}

/// A tensor of a torch file: a view of a storage.
struct TorchTensor: Sendable {
  let storage: TorchStorage
  let shape: [Int]
  /// Numbers of the storage between neighbours along each axis.
  private let strides: [Int]
  /// The numbers of the storage between the tensor's first and its last.
  private let range: Range<Int>

  /// - Throws: `UserError` for a tensor that reaches beyond its storage, or has more numbers than it.
  init(
    _ storage: TorchStorage, offset: Int, shape: [Int], strides: [Int], place: String
  ) throws {
    func damaged() -> UserError {
      UserError(
        "a tensor of shape \(shape.prefix(8)) does not fit its \(storage.count) numbers", at: place,
        remedy: "download or copy the file again; a tensor that repeats numbers must be cloned")
    }
    guard shape.count == strides.count, shape.count <= 16, offset >= 0,
      shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 })
    else { throw damaged() }
    var (count, last) = (1, offset)
    for (extent, stride) in zip(shape, strides) {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      let (reach, isFar) = stride.multipliedReportingOverflow(by: max(extent - 1, 0))
      let (end, isBeyond) = last.addingReportingOverflow(reach)
      guard !overflow, !isFar, !isBeyond else { throw damaged() }
      (count, last) = (product, end)
    }
    if count == 0 {
      range = 0..<0
    } else {
      guard count <= storage.count, last < storage.count else { throw damaged() }
      range = offset..<last + 1
    }
    self.storage = storage
    self.shape = shape
    self.strides = strides
  }

  /// Numbers in it.
  var count: Int { shape.reduce(1, *) }

  func floats(place: String) throws -> [Float] {
    gathered(try storage.floats(range, place: place))
  }

  func integers(place: String) throws -> [Int] {
    gathered(try storage.integers(range, place: place))
  }

  /// The tensor's numbers in row-major order, of those in its range.
  private func gathered<Number>(_ numbers: [Number]) -> [Number] {
    guard !isContiguous, !range.isEmpty else { return numbers }
    var result: [Number] = []
    result.reserveCapacity(count)
    var index = [Int](repeating: 0, count: shape.count)
    var place = 0
    while true {
      result.append(numbers[place])
      var axis = shape.count - 1
      while axis >= 0, index[axis] == shape[axis] - 1 {
        place -= index[axis] * strides[axis]
        index[axis] = 0
        axis -= 1
      }
      guard axis >= 0 else { return result }
      index[axis] += 1
      place += strides[axis]
    }
  }

  private var isContiguous: Bool {
    var expected = 1
    for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
      guard stride == expected else { return false }
      expected *= extent
    }
    return true
  }
}
