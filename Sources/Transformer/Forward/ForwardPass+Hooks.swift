import TensorCore

extension ForwardPass {
  /// Applies the edits at `hook`, in each request's order, then keeps what is recorded there.
  ///
  /// - Parameter view: `[rows, site width]`.
  func visit(_ hook: HookPoint, _ view: MatrixView, _ rows: RowTable) {
    guard hooks.visits(hook) else { return }
    let headWidth = view.stride / hook.heads(in: architecture)
    for entry in hooks.edits[hook] ?? [] {
      for (index, position) in entry.edit.positions.enumerated() {
        guard let row = rows.row(entry.request, position) else { continue }
        let values = UnsafeMutableBufferPointer(start: view.row(row), count: view.stride)
        entry.edit.change.apply(
          index: index, to: values, segments: entry.edit.heads, segmentWidth: headWidth)
      }
    }
    for record in hooks.records[hook] ?? [] {
      let out = recordBuffers[record.request][record.index].pointer
      for (index, position) in record.positions.enumerated() {
        guard let row = rows.row(record.request, position) else { continue }
        (out + index * view.stride).update(from: view.row(row), count: view.stride)
      }
    }
  }
}

extension ActivationEdit.Change {
  /// Changes the values of one position.
  ///
  /// - Parameters:
  ///   - index: which of the edit's positions.
  ///   - segments: heads to change, each `segmentWidth` values; nil for all values.
  func apply(
    index: Int, to values: UnsafeMutableBufferPointer<Float>, segments: [Int]?, segmentWidth: Int
  ) {
    let ranges = segments.map { $0.map { $0 * segmentWidth..<($0 + 1) * segmentWidth } }
    for range in ranges ?? [0..<values.count] {
      switch self {
      case .replace(let source):
        source.tensor.withPointer { tensor in
          let row = tensor + source.rows[index] * source.tensor.columns
          for column in range { values[column] = row[column] }
        }
      case .add(let source):
        source.tensor.withPointer { tensor in
          let row = tensor + source.rows[index] * source.tensor.columns
          for column in range { values[column] += row[column] }
        }
      case .scale(let factor): for column in range { values[column] *= factor }
      case .zero: for column in range { values[column] = 0 }
      }
    }
  }
}
