/// A linear map whose weights stay in the format of their file.
public struct PackedLinear: Sendable {
  /// `[outputs, inputs]`, or, with a row order, a matrix that has these rows among others.
  public let weight: StoredMatrix
  /// `[outputs]`, or none.
  public let bias: Tensor?
  /// Which stored row gives output *i*, where that is not row *i*.
  public let rowOrder: [Int]?

  public var outputs: Int { rowOrder?.count ?? weight.rows }
  public var inputs: Int { weight.columns }

  public init(_ weight: StoredMatrix, bias: Tensor? = nil, rowOrder: [Int]? = nil) {
    self.weight = weight
    self.bias = bias
    self.rowOrder = rowOrder
  }

  /// Weights of outputs `range` as f32, `[range.count, inputs]`.
  public func unpack(_ range: Range<Int>, into out: UnsafeMutablePointer<Float>) {
    guard let rowOrder else { return weight.unpackRows(range, into: out) }
    for (offset, output) in range.enumerated() {
      weight.unpackRows(rowOrder[output]..<rowOrder[output] + 1, into: out + offset * inputs)
    }
  }
}

/// Products with packed weights: panels are unpacked into f32 once for all rows, then multiplied in
/// tiles of a shape that does not depend on the number of threads.
public struct PackedProduct {
  /// Most values of an unpacked panel: 8 Mi values are 32 MiB.
  static let panelValues = 8 << 20
  /// Rows of a tile: at 192 × 192 × 576 OpenBLAS reaches nine tenths of its peak.
  static let tileRows = 192

  let pool: ThreadPool
  let workspace: Workspace
  let slot: Int

  /// - Parameter slot: the workspace's buffer for unpacked panels.
  public init(pool: ThreadPool, workspace: Workspace, slot: Int) {
    self.pool = pool
    self.workspace = workspace
    self.slot = slot
  }

  /// `y = x · Wᵀ + b`, or `y += …`.
  ///
  /// - Parameters:
  ///   - x: `[rows, inputs]`, contiguous.
  ///   - outputs: which outputs to compute; all if nil.
  ///   - y: `[rows, outputs.count]`, with any distance between rows.
  public func callAsFunction(
    _ linear: PackedLinear, _ x: UnsafePointer<Float>, rows: Int, outputs: Range<Int>? = nil,
    into y: MatrixView, accumulate: Bool = false
  ) {
    let range = outputs ?? 0..<linear.outputs
    guard rows > 0, !range.isEmpty else { return }
    let inputs = linear.inputs
    let panelRows = min(range.count, max(Self.panelValues / inputs, 64))
    let panel = MatrixView(workspace.floats(slot, panelRows * inputs), stride: inputs)
    let source = MatrixView(UnsafeMutablePointer(mutating: x), stride: inputs)
    var start = range.lowerBound
    while start < range.upperBound {
      let columns = min(panelRows, range.upperBound - start)
      let first = start
      pool.forEachRange(of: columns, grain: 32) { part in
        linear.unpack(
          first + part.lowerBound..<first + part.upperBound, into: panel.row(part.lowerBound))
      }
      let target = MatrixView(y.pointer + (start - range.lowerBound), stride: y.stride)
      multiply(
        source, rows: rows, by: panel, columns: columns, into: target, accumulate: accumulate)
      start += columns
    }
    if let bias = linear.bias { add(bias, range, to: y, rows: rows) }
  }

  private func multiply(
    _ x: MatrixView, rows: Int, by panel: MatrixView, columns: Int, into y: MatrixView,
    accumulate: Bool
  ) {
    let inputs = panel.stride
    let tileRows = Self.tileRows
    // Few rows are cut by columns instead, so that two threads have something to share.
    let tileColumns = rows >= 4 * tileRows ? min(columns, 768) : min(columns, 192)
    let across = (columns + tileColumns - 1) / tileColumns
    let down = (rows + tileRows - 1) / tileRows
    pool.forEach(across * down) { tile in
      let row = tile / across * tileRows
      let column = tile % across * tileColumns
      gemm(
        m: min(tileRows, rows - row), n: min(tileColumns, columns - column), k: inputs,
        a: x.row(row), strideA: x.stride,
        b: panel.row(column), strideB: inputs, transposeB: true,
        c: y.row(row) + column, strideC: y.stride, accumulate: accumulate)
    }
  }

  private func add(_ bias: Tensor, _ range: Range<Int>, to y: MatrixView, rows: Int) {
    bias.withPointer { values in
      let bias = MatrixView(UnsafeMutablePointer(mutating: values + range.lowerBound), stride: 0)
      pool.forEachRange(of: rows, grain: 256) { part in
        for row in part {
          let out = y.row(row)
          for column in 0..<range.count { out[column] += bias.pointer[column] }
        }
      }
    }
  }
}
