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

/// Products with packed weights, cut into tiles of a shape that does not depend on the number of
/// threads.
public struct PackedProduct {
  let pool: ThreadPool
  let workspace: Workspace
  let slot: Int

  /// - Parameter slot: the workspace's buffer for unpacked weights.
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
    let source = MatrixView(UnsafeMutablePointer(mutating: x), stride: linear.inputs)
    if rows <= ProductTiling.mostRows {
      multiplyTogether(linear, source, rows: rows, range, into: y, accumulate: accumulate)
    } else {
      multiplyPanels(linear, source, rows: rows, range, into: y, accumulate: accumulate)
    }
    if let bias = linear.bias { add(bias, range, to: y, rows: rows) }
  }

  /// Where all rows fit a tile, each task unpacks the weights that it alone needs, and multiplies
  /// while they are in its cache.
  private func multiplyTogether(
    _ linear: PackedLinear, _ x: MatrixView, rows: Int, _ range: Range<Int>, into y: MatrixView,
    accumulate: Bool
  ) {
    let columns = ProductTiling.columns(of: range.count)
    let inputs = linear.inputs
    let scratch = MatrixView(
      workspace.floats(slot, pool.count * columns * inputs), stride: columns * inputs)
    pool.forEachOnWorker((range.count + columns - 1) / columns) { task, worker in
      let first = task * columns
      let count = min(columns, range.count - first)
      let weights = scratch.row(worker)
      let start = range.lowerBound + first
      linear.unpack(start..<start + count, into: weights)
      gemm(
        m: rows, n: count, k: inputs, a: x.pointer, strideA: x.stride,
        b: weights, strideB: inputs, transposeB: true,
        c: y.pointer + first, strideC: y.stride, accumulate: accumulate)
    }
  }

  /// Where there are more rows, a panel of weights is unpacked once for all tiles.
  private func multiplyPanels(
    _ linear: PackedLinear, _ x: MatrixView, rows: Int, _ range: Range<Int>, into y: MatrixView,
    accumulate: Bool
  ) {
    let inputs = linear.inputs
    let panelRows = min(range.count, max(ProductTiling.panelValues / inputs, 64))
    let panel = MatrixView(workspace.floats(slot, panelRows * inputs), stride: inputs)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: panelRows) {
      let columns = min(panelRows, range.upperBound - start)
      pool.forEachRange(of: columns, grain: 32) { part in
        linear.unpack(
          start + part.lowerBound..<start + part.upperBound, into: panel.row(part.lowerBound))
      }
      let target = MatrixView(y.pointer + (start - range.lowerBound), stride: y.stride)
      let tiling = ProductTiling(rows: rows, columns: columns)
      pool.forEach(tiling.count) { index in
        let tile = tiling[index]
        gemm(
          m: tile.rows.count, n: tile.columns.count, k: inputs,
          a: x.row(tile.rows.lowerBound), strideA: x.stride,
          b: panel.row(tile.columns.lowerBound), strideB: inputs, transposeB: true,
          c: target.row(tile.rows.lowerBound) + tile.columns.lowerBound, strideC: target.stride,
          accumulate: accumulate)
      }
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
