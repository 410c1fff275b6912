import TensorCore

extension ForwardPass {
  /// The MLP of one block, added to `stream`, `[rows, width]`.
  ///
  /// - Parameter normed: its input, `[rows, width]`.
  func feedForward(
    _ layer: Int, _ block: LanguageModel.Block, _ normed: UnsafePointer<Float>,
    to stream: UnsafeMutablePointer<Float>, rows: RowTable
  ) {
    let hiddenWidth = architecture.hiddenWidth
    let activation = architecture.mlp.activation
    let count = rows.count
    let hidden = MatrixView(buffer(.gate, count * hiddenWidth), stride: hiddenWidth)
    if let gate = block.gate {
      let up = MatrixView(buffer(.up, count * hiddenWidth), stride: hiddenWidth)
      multiply(gate, normed, rows: count, into: hidden)
      multiply(block.up, normed, rows: count, into: up)
      pool.forEachRange(of: count, grain: 16) { part in
        for row in part {
          activation.gate(hidden.row(row), up.row(row), count: hiddenWidth, into: hidden.row(row))
        }
      }
    } else {
      multiply(block.up, normed, rows: count, into: hidden)
      pool.forEachRange(of: count, grain: 16) { part in
        for row in part {
          activation.apply(to: hidden.row(row), count: hiddenWidth, into: hidden.row(row))
        }
      }
    }
    visit(HookPoint(.hidden, layer: layer), hidden, rows)
    addBranch(
      block.down, hidden.pointer, to: stream, rows: rows, postNorm: block.mlpPostNorm,
      hook: HookPoint(.mlpOutput, layer: layer))
  }
}
