import TensorCore

extension ForwardPass {
  /// The gated MLP of one block, added to `stream`, `[rows, width]`.
  func feedForward(
    _ layer: Int, _ block: LanguageModel.Block, _ stream: UnsafeMutablePointer<Float>,
    rows: RowTable
  ) {
    let width = architecture.width
    let hiddenWidth = architecture.hiddenWidth
    let count = rows.count
    let normed = buffer(.normed, count * width)
    normalise(
      RowPointers(stream, count: count, stride: width), weight: block.mlpNorm,
      into: normed, layer: layer)
    let gate = MatrixView(buffer(.gate, count * hiddenWidth), stride: hiddenWidth)
    let up = MatrixView(buffer(.up, count * hiddenWidth), stride: hiddenWidth)
    multiply(block.gate, normed, rows: count, into: gate)
    multiply(block.up, normed, rows: count, into: up)
    pool.forEachRange(of: count, grain: 16) { part in
      for row in part {
        siluGate(gate.row(row), up.row(row), count: hiddenWidth, into: gate.row(row))
      }
    }
    visit(HookPoint(.hidden, layer: layer), gate, rows)
    addBranch(
      block.down, gate.pointer, to: stream, rows: rows, hook: HookPoint(.mlpOutput, layer: layer))
  }
}
