import TensorCore

extension ForwardPass {
  /// Queries of one task: so many that the products are large, so few that scores stay in cache.
  private static let queryBlock = 64

  /// The attention of one block, up to the output matrix.
  ///
  /// - Parameters:
  ///   - keyRows: rows whose keys and values are computed; others' come from the base run.
  ///   - rows: rows that attend.
  /// - Returns: outputs of the heads, `[rows, heads · headWidth]`.
  func attend(_ layer: Int, _ block: LanguageModel.Block, keyRows: RowTable, rows: RowTable)
    -> UnsafePointer<Float>
  {
    let width = architecture.width
    let keyWidth = architecture.keyWidth
    let queryWidth = architecture.queryWidth
    var normed = buffer(.normed, max(keyRows.count, rows.count) * width)
    normalise(
      sources(of: keyRows, layer: layer), block.attentionNorm, into: normed, layer: layer)

    let keys = MatrixView(buffer(.keys, keyRows.count * keyWidth), stride: keyWidth)
    let values = MatrixView(buffer(.values, keyRows.count * keyWidth), stride: keyWidth)
    multiply(block.key, normed, rows: keyRows.count, into: keys)
    multiply(block.value, normed, rows: keyRows.count, into: values)
    visit(HookPoint(.key, layer: layer), keys, keyRows)
    visit(HookPoint(.value, layer: layer), values, keyRows)
    if let norm = block.keyNorm { normaliseHeads(keys, rows: keyRows.count, norm) }
    rotateHeads(keys, rows: keyRows)
    visit(HookPoint(.rotatedKey, layer: layer), keys, keyRows)
    let groupedKeys = group(keys, .groupedKeys, rows: keyRows.count, width: architecture.headWidth)
    let groupedValues = group(
      values, .groupedValues, rows: keyRows.count, width: architecture.headWidth)
    keepKeys(layer, groupedKeys, groupedValues, rows: keyRows)
    let mixed = MatrixView(
      buffer(.headOutput, max(rows.count, 1) * queryWidth), stride: queryWidth)
    guard rows.count > 0 else { return UnsafePointer(mixed.pointer) }

    let sameRows = rows == keyRows
    if !sameRows {
      normed = buffer(.normed, rows.count * width)
      normalise(
        sources(of: rows, layer: layer), block.attentionNorm, into: normed, layer: layer)
    }
    let queries = MatrixView(buffer(.queries, rows.count * queryWidth), stride: queryWidth)
    multiply(block.query, normed, rows: rows.count, into: queries)
    visit(HookPoint(.query, layer: layer), queries, rows)
    if let norm = block.queryNorm { normaliseHeads(queries, rows: rows.count, norm) }
    rotateHeads(queries, rows: rows)
    visit(HookPoint(.rotatedQuery, layer: layer), queries, rows)
    let groupedQueries = group(
      queries, .groupedQueries, rows: rows.count,
      width: architecture.headsPerGroup * architecture.headWidth)

    mixValues(
      layer, queries: groupedQueries, keys: groupedKeys, values: groupedValues,
      keyRows: keyRows, rows: rows, into: mixed)
    visit(HookPoint(.headOutput, layer: layer), mixed, rows)
    return UnsafePointer(mixed.pointer)
  }

  /// `stream += W · x`, by way of a buffer where the branch is normalised or somebody looks at it.
  func addBranch(
    _ linear: PackedLinear, _ x: UnsafePointer<Float>, to stream: UnsafeMutablePointer<Float>,
    rows: RowTable, postNorm: LanguageModel.Norm?, hook: HookPoint
  ) {
    let width = architecture.width
    let target = MatrixView(stream, stride: width)
    guard postNorm != nil || hooks.visits(hook) else {
      multiply(linear, x, rows: rows.count, into: target, accumulate: true)
      return
    }
    let branch = MatrixView(buffer(.branch, rows.count * width), stride: width)
    multiply(linear, x, rows: rows.count, into: branch)
    if let postNorm {
      normalise(
        RowPointers(branch.pointer, count: rows.count, stride: width), postNorm,
        into: branch.pointer, layer: hook.layer ?? 0)
    }
    visit(hook, branch, rows)
    pool.forEachRange(of: rows.count, grain: 64) { part in
      for row in part {
        let out = target.row(row)
        let added = branch.row(row)
        for column in 0..<width { out[column] += added[column] }
      }
    }
  }

  /// Normalises each head of queries or keys in place.
  private func normaliseHeads(_ view: MatrixView, rows: Int, _ norm: Tensor) {
    let headWidth = architecture.headWidth
    let epsilon = architecture.norm.epsilon
    norm.withPointer { weight in
      let weight = MatrixView(UnsafeMutablePointer(mutating: weight), stride: 0)
      pool.forEachRange(of: rows, grain: 64) { part in
        for row in part {
          for start in stride(from: 0, to: view.stride, by: headWidth) {
            let head = view.row(row) + start
            rmsNormalise(
              head, weight: weight.pointer, epsilon: epsilon, count: headWidth, into: head)
          }
        }
      }
    }
  }

  private func rotateHeads(_ view: MatrixView, rows: RowTable) {
    guard let table = rotary else { return }
    let positions = rows.positions
    let headWidth = architecture.headWidth
    table.cosines.withPointer { cosines in
      table.sines.withPointer { sines in
        let cosines = MatrixView(UnsafeMutablePointer(mutating: cosines), stride: table.pairs)
        let sines = MatrixView(UnsafeMutablePointer(mutating: sines), stride: table.pairs)
        pool.forEachRange(of: positions.count, grain: 64) { part in
          for row in part {
            let position = Int(positions[row])
            for start in stride(from: 0, to: view.stride, by: headWidth) {
              rotate(
                view.row(row) + start, cosines: cosines.row(position),
                sines: sines.row(position), pairs: table.pairs)
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

  private func keepKeys(
    _ layer: Int, _ keys: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>,
    rows: RowTable
  ) {
    let headWidth = architecture.headWidth
    for (request, result) in results.enumerated() {
      guard let run = result.run else { continue }
      let count = run.tokens.count * headWidth
      for group in 0..<architecture.keyValueHeads {
        let offset = (group * rows.count + rows.offsets[request]) * headWidth
        (run.keys[layer].pointer + group * count).update(from: keys + offset, count: count)
        (run.values[layer].pointer + group * count).update(from: values + offset, count: count)
      }
    }
  }

  /// Residual stream of `rows` before the block, to be added to: the held rows themselves where they
  /// are the same, a copy otherwise.
  func residualStream(of rows: RowTable, layer: Int) -> UnsafeMutablePointer<Float> {
    guard rows != stateRows else { return state }
    let width = architecture.width
    let sources = sources(of: rows, layer: layer)
    let target = MatrixView(buffer(spareSlot, rows.count * width), stride: width)
    pool.forEachRange(of: rows.count, grain: 128) { part in
      for row in part { target.row(row).update(from: sources.pointers[row], count: width) }
    }
    return target.pointer
  }

  /// Attention weights and weighted values, for every request, group of heads and block of queries.
  ///
  /// - Parameters:
  ///   - queries: `[groups, rows, headsPerGroup · headWidth]`.
  ///   - keys: `[groups, key rows, headWidth]`, as `values`.
  ///   - out: `[rows, heads · headWidth]`.
  private func mixValues(
    _ layer: Int, queries: UnsafeMutablePointer<Float>, keys: UnsafeMutablePointer<Float>,
    values: UnsafeMutablePointer<Float>, keyRows: RowTable, rows: RowTable, into out: MatrixView
  ) {
    var tasks: [AttentionTask] = []
    for (request, set) in rows.sets.enumerated() {
      for start in stride(from: 0, to: set.count, by: Self.queryBlock) {
        let queries = start..<min(set.count, start + Self.queryBlock)
        for group in 0..<architecture.keyValueHeads {
          tasks.append(AttentionTask(request: request, group: group, queries: queries))
        }
      }
    }
    let longest = requests.map(\.tokens.count).max() ?? 0
    let scratchCount = AttentionTask.scratchCount(
      architecture, queries: Self.queryBlock, keys: longest)
    let scratch = MatrixView(
      buffer(.attention, scratchCount * pool.count), stride: scratchCount)
    let queryView = MatrixView(
      queries, stride: architecture.headsPerGroup * architecture.headWidth)
    let keyView = MatrixView(keys, stride: architecture.headWidth)
    let valueView = MatrixView(values, stride: architecture.headWidth)
    let hooks = self.hooks.attention[layer] ?? [:]
    let work = tasks
    pool.forEachOnWorker(work.count) { index, worker in
      let task = work[index]
      let base = requests[task.request].base
      task.run(
        architecture, layer: layer,
        positions: rows.sets[task.request],
        queries: queryView.row(task.group * rows.count + rows.offsets[task.request]),
        fresh: owners[task.request].map { owner in
          AttentionTask.Fresh(
            positions: keyRows.sets[owner.request], owned: owner.positions,
            keys: keyView.row(task.group * keyRows.count + keyRows.offsets[owner.request]),
            values: valueView.row(task.group * keyRows.count + keyRows.offsets[owner.request]))
        },
        base: base.map { base in
          let offset = task.group * base.tokens.count * architecture.headWidth
          return AttentionTask.KeyValues(
            keys: base.keys[layer].pointer + offset,
            values: base.values[layer].pointer + offset,
            count: base.tokens.count)
        },
        scratch: scratch.row(worker), hooks: hooks[task.request],
        records: recordBuffers[task.request], length: requests[task.request].tokens.count,
        out: MatrixView(out.row(rows.offsets[task.request]), stride: out.stride))
    }
  }
}
