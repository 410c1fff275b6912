import TensorCore

/// Which rows of the residual stream are held, and where the others lie.
extension ForwardPass {
  /// Turns the residual stream after a block into the rows that the next one holds.
  ///
  /// - Parameter stream: `[rows, width]`, the computed rows.
  func advance(to layer: Int, from stream: UnsafeMutablePointer<Float>, rows: RowTable) {
    let width = architecture.width
    let next = RowTable(plans.map { $0.state[layer] })
    let isHeld = stream == state
    if next == rows {
      if !isHeld { stateSlot = spareSlot }
      state = stream
    } else {
      let slot = isHeld ? spareSlot : stateSlot
      let target = MatrixView(buffer(slot, max(next.count * width, 1)), stride: width)
      let source = MatrixView(stream, stride: width)
      pool.forEachRange(of: requests.count, grain: 16) { part in
        for request in part {
          let set = next.sets[request]
          for index in 0..<set.count {
            let out = target.row(next.offsets[request] + index)
            if let row = rows.row(request, set[index]) {
              out.update(from: source.row(row), count: width)
            } else if let base = self.requests[request].base, set[index] < base.tokens.count {
              out.update(from: base.residualRow(layer, set[index]), count: width)
            } else {
              // The row is about to be replaced whole.
              out.update(repeating: 0, count: width)
            }
          }
        }
      }
      state = target.pointer
      stateSlot = slot
    }
    stateRows = next
    visit(HookPoint(.residualPost, layer: layer - 1), MatrixView(state, stride: width), next)
    enter(layer: layer)
  }

  /// What happens on the way into block `layer`, or, after the last, out of it.
  func enter(layer: Int) {
    let width = architecture.width
    if layer < architecture.layers {
      visit(HookPoint(.residualPre, layer: layer), MatrixView(state, stride: width), stateRows)
    }
    for (request, result) in results.enumerated() {
      guard let run = result.run, let first = stateRows.sets[request].first else { continue }
      run.residualRow(layer, first).update(
        from: state + stateRows.offsets[request] * width,
        count: stateRows.sets[request].count * width)
    }
  }

  /// Where each row's residual stream before block `layer` lies: among the held rows, or in the base
  /// run.
  func sources(of rows: RowTable, layer: Int) -> RowPointers {
    let width = architecture.width
    var sources: [UnsafePointer<Float>] = []
    sources.reserveCapacity(rows.count)
    for (request, set) in rows.sets.enumerated() {
      let held = stateRows.sets[request]
      let first = stateRows.offsets[request]
      for index in 0..<set.count {
        if let row = held.index(of: set[index]) {
          sources.append(UnsafePointer(state + (first + row) * width))
        } else if let base = requests[request].base {
          sources.append(UnsafePointer(base.residualRow(layer, set[index])))
        } else {
          preconditionFailure("a row without a base is not held")
        }
      }
    }
    return RowPointers(sources)
  }

  /// Residual stream of `rows` before the block, to be added to: the held rows themselves where they
  /// are the same, a copy otherwise.
  func residualStream(of rows: RowTable, layer: Int) -> MatrixView {
    let width = architecture.width
    guard rows != stateRows else { return MatrixView(state, stride: width) }
    let sources = sources(of: rows, layer: layer)
    let target = MatrixView(buffer(spareSlot, rows.count * width), stride: width)
    pool.forEachRange(of: rows.count, grain: 128) { part in
      for row in part { target.row(row).update(from: sources.pointers[row], count: width) }
    }
    return target
  }
}

/// Row addresses on their way to other threads.
struct RowPointers: @unchecked Sendable {
  let pointers: [UnsafePointer<Float>]

  init(_ pointers: [UnsafePointer<Float>]) { self.pointers = pointers }

  /// `count` consecutive rows.
  init(_ start: UnsafeMutablePointer<Float>, count: Int, stride: Int) {
    pointers = (0..<count).map { UnsafePointer(start + $0 * stride) }
  }
}
