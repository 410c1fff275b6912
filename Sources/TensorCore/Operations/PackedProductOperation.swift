import CPanels

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

  /// Each task takes some blocks of the weights' columns and unpacks them for some outputs at a time.
  private func multiplyTransposed(
    _ map: PackedLinear, _ y: UnsafePointer<Float>, rows: Int, into out: MatrixView
  ) {
    guard rows > 0, map.inputs > 0 else { return }
    let source = MatrixView(UnsafeMutablePointer(mutating: y), stride: map.outputs)
    let parts = BlockParts(of: map, threads: pool.count)
    pool.forEach(parts.count) { part in
      let columns = parts[part]
      let scratch = PanelScratch()
      var product = PanelProduct()
      product.rows = rows
      product.columns = columns.count
      product.xRow = source.stride
      product.xStep = 1
      product.panels = UnsafePointer(scratch.panels)
      product.panelStride = PanelKernelSet.columns
      product.panelStep = parts.mostColumns
      product.y = out.pointer + columns.lowerBound
      product.yRow = out.stride
      product.startRow = out.stride
      for first in stride(from: 0, to: map.outputs, by: parts.steps) {
        let outputs = first..<min(first + parts.steps, map.outputs)
        for output in outputs {
          map.weight.unpack(
            columns, ofRow: map.rowOrder?[output] ?? output,
            into: scratch.panels + (output - first) * parts.mostColumns)
        }
        product.steps = outputs.count
        product.x = UnsafePointer(source.pointer + first)
        product.start = first > 0 ? UnsafePointer(product.y) : nil
        kernels.multiply(product)
      }
    }
  }
}

/// How the inputs of a map are shared out where its outputs are summed.
private struct BlockParts {
  let count: Int
  /// Columns of the largest part, whole panels.
  let mostColumns: Int
  /// Outputs that are summed in one chain: it depends on the stored type alone.
  let steps: Int

  private let unit: Int
  private let units: Int
  private let inputs: Int

  init(of map: PackedLinear, threads: Int) {
    inputs = map.inputs
    // Blocks of at least two panels.
    unit = max(map.weight.type.blockSize, 2 * PanelKernelSet.columns)
    units = (inputs + unit - 1) / unit
    let most = max(PanelKernelSet.mostPanels * PanelKernelSet.columns / unit, 1)
    steps =
      PanelKernelSet.mostPanels * PanelKernelSet.columns * PanelKernelSet.mostSteps
      / (most * unit)
    let fewest = (units + most - 1) / most
    count = min((fewest + threads - 1) / threads * threads, units)
    mostColumns = most * unit
  }

  subscript(index: Int) -> Range<Int> {
    units * index / count * unit..<min(units * (index + 1) / count * unit, inputs)
  }
}
