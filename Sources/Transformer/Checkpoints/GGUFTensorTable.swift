import TensorCore

/// The part of a GGUF file between metadata and weights: name, shape, type and offset of each
/// tensor.
enum GGUFTensorTable {
  /// What the table says, before the place of the weights is known.
  private struct Row {
    let name: String
    let shape: [Int]
    let typeID: UInt32
    let offset: UInt64
    let byteCount: Int
  }

  /// Reads `count` rows; weights begin at the next multiple of `alignment` behind them. A tensor of a
  /// type that is not supported is listed: only somebody who needs it must refuse it.
  ///
  /// - Parameter part: number of the file among those of the model.
  static func read(
    _ count: Int, alignment: Int, part: Int, from cursor: inout GGUFCursor
  ) throws -> [String: GGUFFile.TensorEntry] {
    var rows: [Row] = []
    for index in 0..<count { rows.append(try row(index, &cursor)) }

    // Both are far below Int.max: the offset lies in the file and an alignment is at most 2^30.
    let start = (cursor.offset + alignment - 1) / alignment * alignment
    let size = UInt64(max(cursor.file.bytes.count - start, 0))
    var tensors: [String: GGUFFile.TensorEntry] = [:]
    for row in rows {
      guard row.offset.isMultiple(of: UInt64(alignment)) else {
        throw cursor.damaged(
          "tensor \"\(row.name)\" begins at \(row.offset), not a multiple of \(alignment)")
      }
      guard row.offset <= size, UInt64(row.byteCount) <= size - row.offset else {
        throw cursor.damaged(
          "tensor \"\(row.name)\" lies outside the file, which is cut short or damaged")
      }
      let entry = GGUFFile.TensorEntry(
        name: row.name, shape: row.shape, typeID: row.typeID, part: part,
        offset: start + Int(row.offset), byteCount: row.byteCount)
      guard tensors.updateValue(entry, forKey: row.name) == nil else {
        throw cursor.damaged("the tensor \"\(row.name)\" occurs twice")
      }
    }
    return tensors
  }

  private static func row(_ index: Int, _ cursor: inout GGUFCursor) throws -> Row {
    let name = try cursor.string("the name of tensor \(index)")
    let what = "tensor \"\(name)\""
    let rank = try cursor.number(UInt32.self, what)
    guard (1...4).contains(rank) else {
      throw cursor.damaged("\(what) has \(rank) dimensions, allowed are 1 to 4")
    }
    var shape: [Int] = []
    for _ in 0..<rank {
      let dimension = try cursor.number(UInt64.self, what)
      guard dimension > 0, let dimension = Int(exactly: dimension) else {
        throw cursor.damaged("\(what) has a dimension of \(dimension)")
      }
      shape.append(dimension)
    }
    // Of unsupported types, too, so that nobody who multiplies dimensions need check.
    var size = 1
    for dimension in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
      guard !overflow else { throw cursor.damaged("\(what) has the impossible shape \(shape)") }
      size = product
    }
    let typeID = try cursor.number(UInt32.self, what)
    let offset = try cursor.number(UInt64.self, what)
    return Row(
      name: name, shape: shape, typeID: typeID, offset: offset,
      byteCount: try StoredType(rawValue: typeID).map {
        try byteCount(shape, $0, what, cursor)
      } ?? 0)
  }

  private static func byteCount(
    _ shape: [Int], _ type: StoredType, _ what: String, _ cursor: GGUFCursor
  ) throws -> Int {
    guard var bytes = type.bytesPerRow(columns: shape[0]) else {
      throw cursor.damaged(
        "\(what) has rows of \(shape[0]), not a multiple of the \(type.blockSize) that "
          + "\(type.name) needs")
    }
    for dimension in shape.dropFirst() {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
      guard !overflow else { throw cursor.damaged("\(what) has the impossible shape \(shape)") }
      bytes = product
    }
    return bytes
  }

  /// The error of a tensor that is needed but of a type that `StoredType` has not.
  static func unsupported(_ id: UInt32, _ what: String, at path: String) -> UserError {
    let name = unsupportedNames[id].map { "\($0) (\(id))" } ?? typeName(id)
    let known = StoredType.allCases.map(\.name).joined(separator: ", ")
    return UserError(
      "\(what) has the unsupported type \(name)", at: path,
      remedy: "use a file whose tensors are \(known)")
  }

  /// ggml's name of a type.
  static func typeName(_ id: UInt32) -> String {
    StoredType(rawValue: id)?.name ?? unsupportedNames[id] ?? "number \(id)"
  }

  /// ggml's types that `StoredType` has not, to name them in the error.
  private static let unsupportedNames: [UInt32: String] = [
    4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS",
    19: "IQ1_S", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64",
    28: "F64", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
  ]
}
