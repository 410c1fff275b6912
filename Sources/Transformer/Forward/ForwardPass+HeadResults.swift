import TensorCore

extension ForwardPass {
  /// What each head adds to the attention's output, for the rows where somebody reads or changes it.
  ///
  /// Where it is changed, the row of the output is the sum over heads, and the bias.
  ///
  /// - Parameters:
  ///   - output: the output matrix.
  ///   - mixed: outputs of the heads, `[rows, heads · headWidth]`.
  ///   - sum: the attention's output, `[rows, width]`.
  func visitHeadResults(
    _ hook: HookPoint, _ output: PackedLinear, _ mixed: MatrixView, sum: MatrixView,
    rows: RowTable
  ) {
    guard hooks.visits(hook) else { return }
    let (touched, edited) = (hooks.visited(at: hook), hooks.edited(at: hook))
    let visited = RowTable(
      rows.sets.enumerated().map { request, set in
        touched[request]?.intersection(set) ?? .none
      })
    guard visited.count > 0 else { return }
    let width = architecture.width
    let heads = architecture.heads
    let results = headResults(output, mixed, of: visited, among: rows)
    visit(hook, results, visited)
    for (request, positions) in edited {
      for position in positions.array {
        guard let row = rows.row(request, position), let result = visited.row(request, position)
        else { continue }
        let total = sum.row(row)
        for column in 0..<width { total[column] = output.bias?[column] ?? 0 }
        for head in 0..<heads {
          let part = results.row(result) + head * width
          for column in 0..<width { total[column] += part[column] }
        }
      }
    }
  }

  /// `[visited rows, heads · width]`.
  private func headResults(
    _ output: PackedLinear, _ mixed: MatrixView, of visited: RowTable, among rows: RowTable
  ) -> MatrixView {
    let width = architecture.width
    let headWidth = architecture.headWidth
    let queryWidth = architecture.queryWidth
    let weights = MatrixView(buffer(.panel, width * queryWidth), stride: queryWidth)
    pool.forEachRange(of: width, grain: 32) { part in
      output.unpack(part, into: weights.row(part.lowerBound))
    }
    // The queries have been used.
    let gathered = MatrixView(buffer(.queries, visited.count * queryWidth), stride: queryWidth)
    for (request, set) in visited.sets.enumerated() {
      for (index, position) in set.array.enumerated() {
        guard let row = rows.row(request, position) else { continue }
        gathered.row(visited.offsets[request] + index)
          .update(from: mixed.row(row), count: queryWidth)
      }
    }
    let stride = architecture.heads * width
    let results = MatrixView(buffer(.headResults, visited.count * stride), stride: stride)
    pool.forEach(architecture.heads) { head in
      gemm(
        m: visited.count, n: width, k: headWidth,
        a: gathered.pointer + head * headWidth, strideA: queryWidth,
        b: weights.pointer + head * headWidth, strideB: queryWidth, transposeB: true,
        c: results.pointer + head * width, strideC: stride)
    }
    return results
  }
}
