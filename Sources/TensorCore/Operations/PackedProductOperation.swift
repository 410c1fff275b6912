/// Products with weights that stay in the format of their file: constants, so that a backward pass
/// needs neither their gradient nor what they were multiplied by.
extension PackedProduct {
  /// `x · Wᵀ + b`, `[rows, inputs]` → `[rows, outputs]`.
  public func linear(_ x: Tensor, _ map: PackedLinear) -> Tensor {
    precondition(
      x.shape.count == 2 && x.columns == map.inputs,
      "product of shape \(x.shape) with weights of \(map.inputs) inputs")
    let rows = x.shape[0]
    return Tensor(shape: [rows, map.outputs]) { out in
      x.withPointer {
        self(map, $0, rows: rows, into: MatrixView(out, stride: map.outputs))
      }
    }.recorded(Pullback(x) { transposed($0, map) })
  }

  /// `y · W`, `[rows, outputs]` → `[rows, inputs]`, without the bias: what `linear` does to gradients.
  public func transposed(_ y: Tensor, _ map: PackedLinear) -> Tensor {
    precondition(
      y.shape.count == 2 && y.columns == map.outputs,
      "transposed product of shape \(y.shape) with weights of \(map.outputs) outputs")
    let rows = y.shape[0]
    let unbiased = PackedLinear(map.weight, rowOrder: map.rowOrder)
    return Tensor(shape: [rows, map.inputs]) { out in
      y.withPointer {
        multiplyTransposed(map, $0, rows: rows, into: MatrixView(out, stride: map.inputs))
      }
    }.recorded(Pullback(y) { linear($0, unbiased) })
  }

  /// Panel by panel of the weights' rows, each unpacked once for all tiles of the result.
  private func multiplyTransposed(
    _ map: PackedLinear, _ y: UnsafePointer<Float>, rows: Int, into out: MatrixView
  ) {
    guard rows > 0 else { return }
    let (inputs, outputs) = (map.inputs, map.outputs)
    let panelRows = min(outputs, max(ProductTiling.panelValues / inputs, 64))
    let panel = MatrixView(workspace.floats(slot, panelRows * inputs), stride: inputs)
    let source = MatrixView(UnsafeMutablePointer(mutating: y), stride: outputs)
    let tiling = ProductTiling(rows: rows, columns: inputs)
    for start in stride(from: 0, to: outputs, by: panelRows) {
      let count = min(panelRows, outputs - start)
      pool.forEachRange(of: count, grain: 32) { part in
        map.unpack(
          start + part.lowerBound..<start + part.upperBound, into: panel.row(part.lowerBound))
      }
      pool.forEach(tiling.count) { index in
        let tile = tiling[index]
        gemm(
          m: tile.rows.count, n: tile.columns.count, k: count,
          a: source.row(tile.rows.lowerBound) + start, strideA: outputs,
          b: panel.pointer + tile.columns.lowerBound, strideB: inputs, transposeB: false,
          c: out.row(tile.rows.lowerBound) + tile.columns.lowerBound, strideC: inputs,
          accumulate: start > 0)
      }
    }
  }
}
