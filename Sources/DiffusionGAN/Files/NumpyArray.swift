import Foundation
import TensorCore

/// An array of floating-point numbers in a `.npy` file.
///
/// Source: the format's description, `numpy.lib.format`.
struct NumpyArray: Sendable, Equatable {
  let shape: [Int]
  /// In row-major order.
  let values: [Double]

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  init(shape: [Int], values: [Double]) {
    precondition(values.count == shape.reduce(1, *), "\(values.count) numbers for \(shape)")
    self.shape = shape
    self.values = values
  }

  /// - Throws: `UserError` for what is no such file, is cut short, or holds other numbers.
  init(_ source: FileBytes, place: String) throws {
    func damaged(_ problem: String) -> UserError {
      UserError("is damaged: \(problem)", at: place, remedy: "download or copy the file again")
    }
    guard source.count >= 10, source[0..<6].array == Self.magic else {
      throw damaged("it does not begin as a .npy file")
    }
    let isLong = source[6..<7].array[0] > 1
    let start = isLong ? 12 : 10
    guard source.count >= start else { throw damaged("its header is cut short") }
    let length =
      isLong ? Int(source.number(at: 8, UInt32.self)) : Int(source.number(at: 8, UInt16.self))
    guard length <= source.count - start, length <= 1 << 16 else {
      throw damaged("its header is cut short")
    }
    let header = String(decoding: source[start..<start + length].array, as: UTF8.self)
    guard let type = header.firstMatch(of: /'descr'\s*:\s*'([^']*)'/)?.1,
      let order = header.firstMatch(of: /'fortran_order'\s*:\s*(True|False)/)?.1,
      let extents = header.firstMatch(of: /'shape'\s*:\s*\(([0-9, ]*)\)/)?.1
    else { throw damaged("its header does not tell type, order and shape") }
    let shape = extents.split(whereSeparator: { ", ".contains($0) }).map { Int($0) ?? -1 }
    var count = 1
    for extent in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard extent >= 0, !overflow else { throw damaged("its shape is impossible") }
      count = product
    }
    let size = type == "<f8" ? 8 : 4
    guard type == "<f8" || type == "<f4" else {
      throw UserError(
        "has numbers of the type \(type.prefix(20)), readable are <f8 and <f4", at: place,
        remedy: "save it with .astype(\"float64\")")
    }
    let data = source[start + length..<source.count]
    guard data.count % size == 0, data.count / size == count else {
      throw damaged("\(data.count) bytes are no \(count) numbers")
    }
    let numbers = (0..<count).map { index in
      size == 8
        ? Double(bitPattern: data.number(at: index * 8))
        : Double(Float(bitPattern: data.number(at: index * 4)))
    }
    self.shape = shape
    if order == "False" || shape.count < 2 {
      values = numbers
    } else {
      guard shape.count == 2 else {
        throw UserError(
          "is stored column by column in \(shape.count) dimensions", at: place,
          remedy: "save it with numpy.ascontiguousarray")
      }
      let (rows, columns) = (shape[0], shape[1])
      values = (0..<count).map { numbers[$0 % columns * rows + $0 / columns] }
    }
  }

  /// The `.npy` file, version 1.0, numbers as `<f8`.
  var bytes: [UInt8] {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    var header = Array("{'descr': '<f8', 'fortran_order': False, 'shape': (\(extents)), }".utf8)
    // Numbers begin at a multiple of 64, behind a line's end.
    header += [UInt8](repeating: 0x20, count: (-(10 + header.count + 1)) & 63) + [0x0A]
    let length = withUnsafeBytes(of: UInt16(header.count).littleEndian) { Array($0) }
    var bytes = Self.magic + [1, 0] + length + header
    bytes.reserveCapacity(bytes.count + values.count * 8)
    for value in values {
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
    return bytes
  }
}
