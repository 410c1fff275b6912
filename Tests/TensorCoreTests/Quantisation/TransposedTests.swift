import TensorCore
import Testing

@Test(arguments: [(1, 5), (64, 64), (65, 130)])
func transposingSwapsRowsAndColumns(rows: Int, columns: Int) {
  let matrix = StoredMatrix(
    f32: (0..<rows * columns).map { Float($0) }, rows: rows, columns: columns)
  let transposed = matrix.transposed()
  #expect(transposed.rows == columns && transposed.columns == rows)
  let values = transposed.floats()
  #expect(
    values.indices.allSatisfy { values[$0] == Float($0 % rows * columns + $0 / rows) })
}
