import Foundation
import TensorCore

/// An IDX file of bytes, the format of MNIST and its successors, plain or gzipped.
///
/// Source: the format's description on the MNIST page: a magic number `00 00 08 dimensions`, one
/// big-endian 32-bit extent for each dimension, then the values.
struct IDXFile {
  let extents: [Int]
  let values: [UInt8]

  /// Most bytes that a file may hold: 256 MB, five times MNIST's.
  private static let mostBytes = 256 << 20

  /// Reads the file at `path`.
  ///
  /// - Parameter dimensions: how many dimensions it must have.
  init(_ path: String, dimensions: Int) throws {
    let file = try MappedFile(path)
    let headerSize = 4 + 4 * dimensions
    let isGzip = file.bytes.count > 2 && file.bytes[0] == 0x1F && file.bytes[1] == 0x8B
    // The header first: it says how much may follow.
    let header =
      isGzip
      ? try Inflate.bytes(file.bytes, wrapping: .gzip, limit: headerSize, place: path).bytes
      : Array(file.bytes.prefix(headerSize))
    guard header.count == headerSize, header.starts(with: [0, 0, 8, UInt8(dimensions)]) else {
      throw UserError(
        "is not an IDX file of bytes with \(dimensions) \(dimensions == 1 ? "axis" : "axes")",
        at: path, remedy: "check that the file is what its name says")
    }
    extents = (0..<dimensions).map { axis in
      header[4 + 4 * axis..<8 + 4 * axis].reduce(0) { $0 << 8 | Int($1) }
    }
    var count = 1
    for extent in extents {
      let (product, overflows) = count.multipliedReportingOverflow(by: extent)
      guard !overflows, product > 0, product <= Self.mostBytes else {
        throw UserError(
          "claims \(extents.map(String.init).joined(separator: "×")) values", at: path,
          remedy: "check the file; between 1 and \(Self.mostBytes) can be read")
      }
      count = product
    }
    let (all, isMore) =
      isGzip
      ? try Inflate.bytes(
        file.bytes, wrapping: .gzip, limit: headerSize + count, place: path)
      : (
        Array(file.bytes.prefix(headerSize + count)), file.bytes.count > headerSize + count
      )
    guard all.count == headerSize + count, !isMore else {
      let found = isMore ? "more" : "\(all.count - headerSize)"
      throw UserError(
        "holds \(found) values where its header promises \(count)", at: path,
        remedy: "download or copy the file again")
    }
    values = Array(all[headerSize...])
  }
}
