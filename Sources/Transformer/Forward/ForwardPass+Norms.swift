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
    _ sources: RowPointers, _ norm: LanguageModel.Norm, into target: MatrixView,
    layer: Int, hooks place: NormHooks? = nil
  ) {
    guard let place, hooks.visits(place.scale) || hooks.visits(place.normalized) else {
      return normaliseRows(sources, norm, into: target, factors: nil, layer: layer)
    }
    let count = sources.pointers.count
    // The weight and the bias come after the hooks; multiplied by 1 a value keeps its bits.
    let scales = MatrixView(buffer(.scales, max(count, 1)), stride: 1)
    normaliseRows(sources, norm.plain, into: target, factors: scales, layer: layer)
    for row in 0..<count { scales.pointer[row] = 1 / scales.pointer[row] }
    let before = (0..<count).map { scales.pointer[$0] }
    visit(place.scale, scales, place.rows)
    for row in 0..<count where scales.pointer[row] != before[row] {
      let scale = scales.pointer[row]
      if !scale.isFinite || scale == 0 { noteNonFinite(before: layer) }
      for column in 0..<architecture.width { target.row(row)[column] *= before[row] / scale }
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
    norm.withKernel { normalise in
      pool.forEachRange(of: sources.pointers.count, grain: 64) { part in
        for row in part {
          let factor = normalise(sources.pointers[row], 0, width, target.row(row))
          if !(factor > 0 && factor.isFinite) { noteNonFinite(before: layer) }
          if let factors { factors.pointer[row] = factor }
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

  /// Normalises queries or keys in place, by head or all heads together.
  func normaliseHeads(_ view: MatrixView, _ norm: LanguageModel.HeadNorm?, rows: RowTable) {
    guard let norm else { return }
    norm.norm.withKernel { normalise in
      pool.forEachRange(of: rows.count, grain: 64) { part in
        for row in part {
          for start in stride(from: 0, to: view.stride, by: norm.span) {
            let head = view.row(row) + start
            _ = normalise(head, start, norm.span, head)
          }
        }
      }
    }
  }

  /// Rows as they are, for a block that normalises nothing before it computes.
  func copy(_ sources: RowPointers, into target: MatrixView, layer: Int) {
    let width = architecture.width
    pool.forEachRange(of: sources.pointers.count, grain: 64) { part in
      for row in part {
        let source = sources.pointers[row]
        target.row(row).update(from: source, count: width)
        // A sum is finite only if all its parts are.
        if !dot(source, source, count: width).isFinite { noteNonFinite(before: layer) }
      }
    }
  }
}

extension LanguageModel.Norm {
  /// Normalises `count` values with the weights from `first` on; gives what they were multiplied by.
  typealias Kernel =
    @Sendable (
      _ x: UnsafePointer<Float>, _ first: Int, _ count: Int, _ out: UnsafeMutablePointer<Float>
    ) -> Float

  fileprivate func withKernel(_ body: (Kernel) -> Void) {
    let epsilon = epsilon
    let bias = bias ?? Tensor(zeros: weight.shape)
    weight.withPointer { weight in
      bias.withPointer { bias in
        let weight = MatrixView(UnsafeMutablePointer(mutating: weight), stride: 0)
        let bias = MatrixView(UnsafeMutablePointer(mutating: bias), stride: 0)
        switch kind {
        case .rootMeanSquare:
          body { x, first, count, out in
            rmsNormalise(
              x, weight: weight.pointer + first, epsilon: epsilon, count: count, into: out)
          }
        case .layer:
          body { x, first, count, out in
            layerNormalise(
              x, weight: weight.pointer + first, bias: bias.pointer + first, epsilon: epsilon,
              count: count, into: out)
          }
        }
      }
    }
  }
}
