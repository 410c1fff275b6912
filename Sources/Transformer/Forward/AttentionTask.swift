import TensorCore

/// The attention of some queries of one request in one group of heads.
struct AttentionTask: Sendable {
  /// Rotated keys and values of a group, each `[positions, headWidth]`.
  struct KeyValues {
    let keys: UnsafeMutablePointer<Float>
    let values: UnsafeMutablePointer<Float>
    /// Number of positions.
    let count: Int
  }

  /// Keys and values computed in this pass by one request, some of which this one shares.
  struct Fresh {
    /// Positions that were computed.
    let positions: Positions
    /// Positions that this request takes from there: the computed ones among them, and what lies
    /// between from the base run.
    let owned: Range<Int>
    let keys: UnsafeMutablePointer<Float>
    let values: UnsafeMutablePointer<Float>
  }

  /// Consecutive key positions that lie side by side in memory.
  private struct Segment {
    let start: Int
    let count: Int
    let keys: UnsafeMutablePointer<Float>
    let values: UnsafeMutablePointer<Float>
  }

  let request: Int
  /// Group of heads, that is, key-value head.
  let group: Int
  /// Which of the request's rows.
  let queries: Range<Int>

  /// Values of scratch memory that a task needs.
  static func scratchCount(_ architecture: Architecture, queries: Int, keys: Int) -> Int {
    let heads = queries * architecture.headsPerGroup
    return heads * keys + heads * architecture.headWidth + 2 * keys * architecture.headWidth
  }

  /// - Parameters:
  ///   - positions: the request's rows.
  ///   - queries: the request's queries in this group, `[rows, headsPerGroup · headWidth]`.
  ///   - fresh: computed keys and values, in the order of their positions; `base`: those of all
  ///     positions of the recorded run.
  ///   - records: the request's recording buffers.
  ///   - length: tokens of the request.
  ///   - out: the request's rows, `[rows, heads · headWidth]`.
  func run(
    _ architecture: Architecture, block: Architecture.Block, positions: Positions,
    queries allQueries: UnsafeMutablePointer<Float>, fresh: [Fresh],
    base: KeyValues?, scratch: UnsafeMutablePointer<Float>, hooks: HookTable.Attention?,
    records: [FloatBuffer], length: Int, out: MatrixView
  ) {
    let headWidth = architecture.headWidth
    let perGroup = architecture.headsPerGroup
    let keys = positions[queries.upperBound - 1] + 1
    let heads = queries.count * perGroup
    let scores = scratch
    let mixed = scores + heads * keys
    let segments = self.segments(
      keys: keys, headWidth: headWidth, fresh: fresh, base: base,
      gathered: mixed + heads * headWidth)

    let firstQuery = allQueries + queries.lowerBound * perGroup * headWidth
    for segment in segments {
      gemm(
        m: heads, n: segment.count, k: headWidth, a: firstQuery, strideA: headWidth,
        b: segment.keys, strideB: headWidth, transposeB: true,
        c: scores + segment.start, strideC: keys)
    }
    let scale = block.attentionScale
    let cap = block.attentionSoftCap
    for (index, query) in queries.enumerated() {
      let position = positions[query]
      let first = block.firstVisible(from: position)
      let seen = position + 1 - first
      for member in 0..<perGroup {
        let row = scores + (index * perGroup + member) * keys
        if let cap { softCap(row + first, count: seen, scale: scale, cap: cap) }
        let restOfScale = cap == nil ? scale : 1
        if let hooks {
          hooks.weigh(
            row, keys: first..<position + 1, scale: restOfScale, position: position,
            head: group * perGroup + member, length: length, records: records)
        } else {
          softmax(row + first, count: seen, scale: restOfScale)
        }
        row.update(repeating: 0, count: first)
        (row + position + 1).update(repeating: 0, count: keys - position - 1)
      }
    }
    // One chain of sums, however the keys lie in pieces.
    mixed.update(repeating: 0, count: heads * headWidth)
    for segment in segments {
      gemm(
        m: heads, n: headWidth, k: segment.count, a: scores + segment.start, strideA: keys,
        b: segment.values, strideB: headWidth, transposeB: false,
        c: mixed, strideC: headWidth, target: .continued)
    }
    for (index, query) in queries.enumerated() {
      (out.row(query) + group * perGroup * headWidth).update(
        from: mixed + index * perGroup * headWidth, count: perGroup * headWidth)
    }
  }

  /// Key positions `0..<keys` as pieces of memory, base and fresh by turns; where fresh rows are
  /// scattered, everything is copied into `gathered`.
  private func segments(
    keys: Int, headWidth: Int, fresh: [Fresh], base: KeyValues?,
    gathered: UnsafeMutablePointer<Float>
  ) -> [Segment] {
    var segments: [Segment] = []
    func add(_ range: Range<Int>, _ source: KeyValues, from first: Int) {
      guard !range.isEmpty else { return }
      let offset = (range.lowerBound - first) * headWidth
      segments.append(
        Segment(
          start: range.lowerBound, count: range.count, keys: source.keys + offset,
          values: source.values + offset))
    }
    for piece in fresh {
      let owned = piece.owned.clamped(to: 0..<keys)
      guard !owned.isEmpty else { continue }
      guard case .range(let computed) = piece.positions else {
        return [gather(keys: keys, headWidth: headWidth, fresh: fresh, base: base, into: gathered)]
      }
      let mine = computed.clamped(to: owned)
      guard !mine.isEmpty else {
        if let base { add(owned, base, from: 0) }
        continue
      }
      if let base { add(owned.lowerBound..<mine.lowerBound, base, from: 0) }
      let source = KeyValues(keys: piece.keys, values: piece.values, count: computed.count)
      add(mine, source, from: computed.lowerBound)
      if let base { add(mine.upperBound..<owned.upperBound, base, from: 0) }
    }
    return segments
  }

  private func gather(
    keys: Int, headWidth: Int, fresh: [Fresh], base: KeyValues?,
    into gathered: UnsafeMutablePointer<Float>
  ) -> Segment {
    let values = gathered + keys * headWidth
    if let base {
      // A base of another, shorter sequence ends where all further rows are fresh.
      let held = min(keys, base.count) * headWidth
      gathered.update(from: base.keys, count: held)
      values.update(from: base.values, count: held)
    }
    for piece in fresh {
      let owned = piece.owned.clamped(to: 0..<keys)
      for index in 0..<piece.positions.count where owned.contains(piece.positions[index]) {
        let position = piece.positions[index] * headWidth
        (gathered + position).update(from: piece.keys + index * headWidth, count: headWidth)
        (values + position).update(from: piece.values + index * headWidth, count: headWidth)
      }
    }
    return Segment(start: 0, count: keys, keys: gathered, values: values)
  }
}

extension HookTable.Attention {
  /// Turns one row of raw scores into attention weights, with everything that is changed or recorded
  /// on the way: changes of scores in their order, the softmax, edits of the pattern in theirs.
  ///
  /// - Parameters:
  ///   - keys: keys that the query may see.
  ///   - length: tokens of the request: the distance between heads in donors and recordings.
  fileprivate func weigh(
    _ row: UnsafeMutablePointer<Float>, keys: Range<Int>, scale: Float, position: Int, head: Int,
    length: Int, records: [FloatBuffer]
  ) {
    for key in keys { row[key] *= scale }
    for change in scoreChanges {
      switch change {
      case .edit(let edit):
        apply(edit, row, keys: keys, position: position, head: head, length: length)
      case .knockout(let edges):
        guard edges.heads?.contains(head) ?? true, edges.queries.contains(position) else {
          continue
        }
        for key in edges.keys where keys.contains(key) { row[key] = -.infinity }
      }
    }
    record(
      scoreRecords, row, keys: keys, position: position, head: head, length: length, records,
      rest: -.infinity)
    softmax(row + keys.lowerBound, count: keys.count, scale: 1)
    for edit in patternEdits {
      apply(edit, row, keys: keys, position: position, head: head, length: length)
    }
    record(
      patternRecords, row, keys: keys, position: position, head: head, length: length, records,
      rest: 0)
  }

  private func apply(
    _ edit: ActivationEdit, _ row: UnsafeMutablePointer<Float>, keys: Range<Int>,
    position: Int, head: Int, length: Int
  ) {
    guard edit.heads?.contains(head) ?? true, let index = edit.positions.firstIndex(of: position)
    else { return }
    switch edit.change {
    case .replace(let source), .add(let source):
      source.tensor.withPointer { tensor in
        let donor = tensor + source.rows[index] * source.tensor.columns + head * length
        if case .add = edit.change {
          for key in keys { row[key] += donor[key] }
        } else {
          for key in keys { row[key] = donor[key] }
        }
      }
    case .scale(let factor): for key in keys { row[key] *= factor }
    case .zero: for key in keys { row[key] = 0 }
    }
  }

  private func record(
    _ wanted: [HookTable.Record], _ row: UnsafeMutablePointer<Float>, keys: Range<Int>,
    position: Int, head: Int, length: Int, _ records: [FloatBuffer], rest: Float
  ) {
    for record in wanted {
      guard let index = record.positions.firstIndex(of: position) else { continue }
      let buffer = records[record.index]
      let heads = buffer.count / (record.positions.count * length)
      let out = buffer.pointer + (index * heads + head) * length
      out.update(repeating: rest, count: length)
      for key in keys { out[key] = row[key] }
    }
  }
}
