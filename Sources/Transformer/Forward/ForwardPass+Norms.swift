import TensorCore

/// The hook points of a norm, and the rows that it is taken of.
struct NormHooks {
  let scale: HookPoint
  let normalized: HookPoint
  let rows: RowTable

  init(
    _ scale: HookPoint.Site, _ normalized: HookPoint.Site, layer: Int? = nil, rows: RowTable
  ) {
    self.scale = HookPoint(scale, layer: layer)
    self.normalized = HookPoint(normalized, layer: layer)
    self.rows = rows
  }
}

extension ForwardPass {
  /// Normalised rows, `[rows, width]`, which may be the sources; notes where a value was not finite.
  ///
  /// - Parameter layer: the block that a value which is not finite is reported before.
  func normalise(
    _ sources: RowPointers, _ norm: LanguageModel.Norm, into out: UnsafeMutablePointer<Float>,
    layer: Int, hooks place: NormHooks? = nil
  ) {
    let target = MatrixView(out, stride: architecture.width)
    guard let place, hooks.visits(place.scale) || hooks.visits(place.normalized) else {
      return normaliseRows(sources, norm, into: target, factors: nil, layer: layer)
    }
    let count = sources.pointers.count
    let width = architecture.width
    // The weight and the bias come after the hooks; multiplied by 1 a value keeps its bits.
    let plain = LanguageModel.Norm(
      weight: Tensor(repeating: 1, shape: [width]),
      bias: norm.bias.map { _ in Tensor(zeros: [width]) })
    let scales = MatrixView(buffer(.scales, max(count, 1)), stride: 1)
    normaliseRows(sources, plain, into: target, factors: scales, layer: layer)
    for row in 0..<count { scales.pointer[row] = 1 / scales.pointer[row] }
    let before = (0..<count).map { scales.pointer[$0] }
    visit(place.scale, scales, place.rows)
    for row in 0..<count where scales.pointer[row] != before[row] {
      let scale = scales.pointer[row]
      if !scale.isFinite || scale == 0 { noteNonFinite(before: layer) }
      for column in 0..<width { target.row(row)[column] *= before[row] / scale }
    }
    visit(place.normalized, target, place.rows)
    apply(norm, to: target, rows: count)
  }

  /// - Parameter factors: takes what each row was multiplied by, before the weight.
  private func normaliseRows(
    _ sources: RowPointers, _ norm: LanguageModel.Norm, into target: MatrixView,
    factors: MatrixView?, layer: Int
  ) {
    let width = architecture.width
    let epsilon = architecture.norm.epsilon
    // A norm without bias never reads the second pointer.
    norm.weight.withPointer { weight in
      (norm.bias ?? norm.weight).withPointer { bias in
        let weight = MatrixView(UnsafeMutablePointer(mutating: weight), stride: 0)
        let bias = MatrixView(UnsafeMutablePointer(mutating: bias), stride: 0)
        let hasBias = norm.bias != nil
        pool.forEachRange(of: sources.pointers.count, grain: 64) { part in
          for row in part {
            let factor =
              hasBias
              ? layerNormalise(
                sources.pointers[row], weight: weight.pointer, bias: bias.pointer,
                epsilon: epsilon, count: width, into: target.row(row))
              : rmsNormalise(
                sources.pointers[row], weight: weight.pointer, epsilon: epsilon, count: width,
                into: target.row(row))
            if !(factor > 0 && factor.isFinite) { noteNonFinite(before: layer) }
            if let factors { factors.pointer[row] = factor }
          }
        }
      }
    }
  }

  /// `x = x · weight + bias`.
  private func apply(_ norm: LanguageModel.Norm, to target: MatrixView, rows: Int) {
    let width = architecture.width
    norm.weight.withPointer { weight in
      for row in 0..<rows {
        for column in 0..<width { target.row(row)[column] *= weight[column] }
      }
    }
    norm.bias?.withPointer { bias in
      for row in 0..<rows {
        for column in 0..<width { target.row(row)[column] += bias[column] }
      }
    }
  }

  /// Normalises each head of queries or keys in place, where the family does.
  func normaliseHeads(_ view: MatrixView, _ norm: Tensor?, rows: RowTable) {
    guard let norm else { return }
    let headWidth = architecture.headWidth
    let epsilon = architecture.norm.epsilon
    norm.withPointer { weight in
      let weight = MatrixView(UnsafeMutablePointer(mutating: weight), stride: 0)
      pool.forEachRange(of: rows.count, grain: 64) { part in
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
}
