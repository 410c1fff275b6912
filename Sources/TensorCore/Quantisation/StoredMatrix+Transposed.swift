extension StoredMatrix {
  /// The transposed matrix, `[columns, rows]`, as f32 in memory of its own.
  ///
  /// For checkpoints that keep `[inputs, outputs]`: products unpack whole rows, and a row must be one
  /// output's weights.
  public func transposed() -> StoredMatrix {
    // Squares of this size keep both the reads and the writes in cache.
    let square = 64
    let values = floats()
    let result = [Float](unsafeUninitializedCapacity: values.count) { out, count in
      for row in stride(from: 0, to: rows, by: square) {
        for column in stride(from: 0, to: columns, by: square) {
          for r in row..<min(row + square, rows) {
            for c in column..<min(column + square, columns) {
              out[c * rows + r] = values[r * columns + c]
            }
          }
        }
      }
      count = values.count
    }
    return StoredMatrix(f32: result, rows: columns, columns: rows)
  }
}
