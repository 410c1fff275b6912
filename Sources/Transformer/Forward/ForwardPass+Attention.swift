import TensorCore

extension ForwardPass {
  /// Keys and values of one block for the rows of a batch, `[groups, rows, headWidth]`.
  struct KeyValueRows {
    let rows: RowTable
    let keys: UnsafeMutablePointer<Float>
    let values: UnsafeMutablePointer<Float>
  }

  /// Rotates each head of queries or keys by its row's position, by the tables of block `layer`.
  func rotateHeads(_ view: MatrixView, rows: RowTable, layer: Int) {
    guard let tables = rotary[layer] else { return }
    let positions = rows.positions
    let headWidth = architecture.headWidth
    var request = 0
    while request < tables.count {
      let table = tables[request]
      let first = rows.offsets[request]
      // Requests of one table go together: alone, many have only a few rows.
      request = tables[request...].firstIndex { $0.regime != table.regime } ?? tables.count
      table.withRotation { rotate in
        pool.forEachRange(of: rows.offsets[request] - first, grain: 64) { part in
          for row in first + part.lowerBound..<first + part.upperBound {
            for start in stride(from: 0, to: view.stride, by: headWidth) {
              rotate(view.row(row) + start, Int(positions[row]))
            }
          }
        }
      }
    }
  }

  /// From `[rows, groups · width]` to `[groups, rows, width]`, so that all heads of a group are one
  /// matrix.
  private func group(_ view: MatrixView, _ slot: Slot, rows: Int, width: Int)
    -> UnsafeMutablePointer<Float>
  {
    let groups = architecture.keyValueHeads
    let out = MatrixView(buffer(slot, rows * groups * width), stride: width)
    pool.forEachRange(of: rows, grain: 128) { part in
      for group in 0..<groups {
        for row in part {
          out.row(group * rows + row).update(from: view.row(row) + group * width, count: width)
        }
      }
    }
    return out.pointer
  }

  /// Keys and values by group of heads, and in the runs that are kept.
  ///
  /// - Parameter keys: `[rows, groups · headWidth]`, as `values`.
  func keep(keys: MatrixView, values: MatrixView, rows: RowTable, layer: Int) -> KeyValueRows {
    let headWidth = architecture.headWidth
    let kept = KeyValueRows(
      rows: rows, keys: group(keys, .groupedKeys, rows: rows.count, width: headWidth),
      values: group(values, .groupedValues, rows: rows.count, width: headWidth))
    for (request, result) in results.enumerated() {
      guard let run = result.run, let first = rows.sets[request].first else { continue }
      let count = rows.sets[request].count * headWidth
      for group in 0..<architecture.keyValueHeads {
        let offset = (group * rows.count + rows.offsets[request]) * headWidth
        run.keys(layer, group: group, from: first, headWidth: headWidth)
          .update(from: kept.keys + offset, count: count)
        run.values(layer, group: group, from: first, headWidth: headWidth)
          .update(from: kept.values + offset, count: count)
      }
    }
    return kept
  }

  /// Attention weights and weighted values, for every request, group of heads and block of queries.
  ///
  /// - Parameter queries: `[rows, heads · headWidth]`.
  /// - Returns: outputs of the heads, `[rows, heads · headWidth]`.
  func mixValues(_ layer: Int, queries: MatrixView, cache: KeyValueRows, rows: RowTable)
    -> MatrixView
  {
    let headWidth = architecture.headWidth
    let perGroup = architecture.headsPerGroup * headWidth
    let out = MatrixView(
      buffer(.headOutput, rows.count * architecture.queryWidth), stride: architecture.queryWidth)
    let keyRows = cache.rows
    let queryView = MatrixView(
      group(queries, .groupedQueries, rows: rows.count, width: perGroup), stride: perGroup)
    let keyView = MatrixView(cache.keys, stride: headWidth)
    let valueView = MatrixView(cache.values, stride: headWidth)
    let longest = requests.map(\.tokens.count).max() ?? 0
    let most = shares.queries(keys: longest)
    var tasks: [AttentionTask] = []
    for (request, set) in rows.sets.enumerated() {
      for start in stride(from: 0, to: set.count, by: most) {
        let queries = start..<min(set.count, start + most)
        for group in 0..<architecture.keyValueHeads {
          tasks.append(AttentionTask(request: request, group: group, queries: queries))
        }
      }
    }
    let scratchCount = AttentionTask.scratchCount(
      architecture, queries: min(most, rows.sets.map(\.count).max() ?? 0), keys: longest)
    let scratch = MatrixView(
      buffer(.attention, scratchCount * pool.count), stride: scratchCount)
    let hooks = self.hooks.attention[layer] ?? [:]
    let work = tasks
    pool.forEachOnWorker(work.count) { index, worker in
      let task = work[index]
      let base = requests[task.request].base
      task.run(
        architecture, block: architecture.blocks[layer],
        positions: rows.sets[task.request],
        queries: queryView.row(task.group * rows.count + rows.offsets[task.request]),
        fresh: owners[task.request].map { owner in
          AttentionTask.Fresh(
            positions: keyRows.sets[owner.request], owned: owner.positions,
            keys: keyView.row(task.group * keyRows.count + keyRows.offsets[owner.request]),
            values: valueView.row(task.group * keyRows.count + keyRows.offsets[owner.request]))
        },
        base: base.map { base in
          AttentionTask.KeyValues(
            keys: base.keys(layer, group: task.group, headWidth: headWidth),
            values: base.values(layer, group: task.group, headWidth: headWidth),
            count: base.tokens.count)
        },
        scratch: scratch.row(worker), hooks: hooks[task.request],
        records: recordBuffers[task.request], length: requests[task.request].tokens.count,
        out: MatrixView(out.row(rows.offsets[task.request]), stride: out.stride))
    }
    return out
  }
}

extension RotaryTable {
  /// Gives `body` what rotates a head at a position.
  fileprivate func withRotation(
    _ body: (@Sendable (UnsafeMutablePointer<Float>, Int) -> Void) -> Void
  ) {
    let pairs = pairs
    cosines.withPointer { cosines in
      sines.withPointer { sines in
        let cosines = MatrixView(UnsafeMutablePointer(mutating: cosines), stride: pairs)
        let sines = MatrixView(UnsafeMutablePointer(mutating: sines), stride: pairs)
        switch pairing {
        case .halves:
          body { head, position in
            rotate(
              head, cosines: cosines.row(position), sines: sines.row(position), pairs: pairs)
          }
        case .neighbours:
          body { head, position in
            rotateNeighbours(
              head, cosines: cosines.row(position), sines: sines.row(position), pairs: pairs)
          }
        }
      }
    }
  }
}
