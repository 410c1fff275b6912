import TensorCore

/// One block of the transformer, from top to bottom: attention and MLP, each added to the residual
/// stream.
///
/// Here stands what is computed, and in which order hook points are visited. `RowPlan` chose the
/// rows, `ForwardPass` holds them, and its kernels (`ForwardPass+Norms`, `+Attention`, `+HeadResults`)
/// do the work.
struct TransformerBlock {
  let pass: ForwardPass
  let layer: Int
  let weights: LanguageModel.Block
  /// Rows whose keys and values are computed; others' come from the base run.
  let keyRows: RowTable
  /// Rows that go through the whole block.
  let rows: RowTable

  private let architecture: Architecture
  private let block: Architecture.Block

  init(_ layer: Int, of pass: ForwardPass) {
    self.pass = pass
    self.layer = layer
    weights = pass.model.weights.blocks[layer]
    architecture = pass.architecture
    block = pass.architecture.blocks[layer]
    keyRows = RowTable(pass.plans.map { $0.keyValue[layer] })
    rows = RowTable(pass.plans.map { $0.full[layer] })
  }

  /// Takes the pass from the residual stream before the block to the one after it.
  func run() {
    guard keyRows.count > 0 || rows.count > 0 else {
      return pass.advance(to: layer + 1, from: pass.state, rows: rows)
    }
    let keyInput = normalisedInput(keyRows)
    let cache = keysAndValues(keyInput)
    guard rows.count > 0 else {
      return pass.advance(to: layer + 1, from: pass.state, rows: rows)
    }
    let input = rows == keyRows ? keyInput : normalisedInput(rows)
    let queries = queries(input)
    let mixed = pass.mixValues(layer, queries: queries, cache: cache, rows: rows)
    visit(.headOutput, mixed, rows)

    let stream = pass.residualStream(of: rows, layer: layer)
    switch block.order {
    case .sequential:
      addAttention(mixed, to: stream)
      visit(.residualMiddle, stream, rows)
      addMLP(mlpInput(stream), to: stream)
    case .parallel:
      let mlpInput = mlpInput(stream)
      addAttention(mixed, to: stream)
      addMLP(mlpInput, to: stream)
    case .parallelWithOneNorm:
      addAttention(mixed, to: stream)
      addMLP(input, to: stream)
    }
    pass.advance(to: layer + 1, from: stream.pointer, rows: rows)
  }

  // MARK: - Attention

  /// What the attention reads: the residual stream before the block, normalised, `[rows, width]`.
  private func normalisedInput(_ rows: RowTable) -> MatrixView {
    normalised(
      pass.sources(of: rows, layer: layer), weights.attentionNorm,
      NormHooks(.attentionNormScale, .attentionNormalized, layer: layer, rows: rows))
  }

  /// Keys, normalised by head and rotated, and values, `[groups, rows, headWidth]`.
  private func keysAndValues(_ input: MatrixView) -> ForwardPass.KeyValueRows {
    let keys = clipped(product(weights.key, input, keyRows, .keys), keyRows)
    let values = clipped(product(weights.value, input, keyRows, .values), keyRows)
    visit(.key, keys, keyRows)
    visit(.value, values, keyRows)
    pass.normaliseHeads(keys, weights.keyNorm, rows: keyRows)
    rotate(keys, keyRows, .rotatedKey)
    return pass.keep(keys: keys, values: values, rows: keyRows, layer: layer)
  }

  /// Queries, normalised by head and rotated, `[rows, heads · headWidth]`.
  private func queries(_ input: MatrixView) -> MatrixView {
    let queries = clipped(product(weights.query, input, rows, .queries), rows)
    visit(.query, queries, rows)
    pass.normaliseHeads(queries, weights.queryNorm, rows: rows)
    rotate(queries, rows, .rotatedQuery)
    return queries
  }

  private func clipped(_ view: MatrixView, _ rows: RowTable) -> MatrixView {
    if let clip = block.queryKeyValueClip { pass.clip(view, to: clip, rows: rows) }
    return view
  }

  private func rotate(_ view: MatrixView, _ rows: RowTable, _ site: HookPoint.Site) {
    guard block.rotary != nil else { return }
    pass.rotateHeads(view, rows: rows, layer: layer)
    visit(site, view, rows)
  }

  /// `stream += scale · norm(W · mixed)`, the norm where the block has one.
  private func addAttention(_ mixed: MatrixView, to stream: MatrixView) {
    let hook = HookPoint(.attentionOutput, layer: layer)
    let results = HookPoint(.headResult, layer: layer)
    guard
      weights.attentionPostNorm != nil || block.branchScale != 1 || visits(hook)
        || visits(results)
    else {
      return pass.multiply(
        weights.output, mixed.pointer, rows: rows.count, into: stream, accumulate: true)
    }
    let branch = product(weights.output, mixed, rows, .branch)
    pass.visitHeadResults(results, weights.output, mixed, sum: branch, rows: rows)
    add(branch, normalisedBy: weights.attentionPostNorm, hook: hook, to: stream)
  }

  // MARK: - MLP

  /// What the MLP reads: the residual stream, normalised, `[rows, width]`.
  private func mlpInput(_ stream: MatrixView) -> MatrixView {
    normalised(
      RowPointers(stream.pointer, count: rows.count, stride: stream.stride), weights.mlpNorm,
      NormHooks(.mlpNormScale, .mlpNormalized, layer: layer, rows: rows))
  }

  /// `stream += scale · norm(W · (f(gate) · up))`, or of `W · f(up)`, the norm where the block has one.
  private func addMLP(_ input: MatrixView, to stream: MatrixView) {
    let hidden = product(weights.gate ?? weights.up, input, rows, .gate)
    visit(.hiddenPre, hidden, rows)
    if weights.gate == nil {
      pass.activate(hidden, block.mlp.activation, rows: rows)
    } else {
      let up = product(weights.up, input, rows, .up)
      visit(.hiddenLinear, up, rows)
      pass.activate(hidden, block.mlp.activation, times: up, rows: rows)
    }
    visit(.hidden, hidden, rows)

    let hook = HookPoint(.mlpOutput, layer: layer)
    guard weights.mlpPostNorm != nil || block.branchScale != 1 || visits(hook) else {
      return pass.multiply(
        weights.down, hidden.pointer, rows: rows.count, into: stream, accumulate: true)
    }
    let branch = product(weights.down, hidden, rows, .branch)
    add(branch, normalisedBy: weights.mlpPostNorm, hook: hook, to: stream)
  }

  // MARK: - Both

  /// Rows as attention or MLP read them: as they are where the block has no norm before it.
  private func normalised(
    _ sources: RowPointers, _ norm: LanguageModel.Norm?, _ hooks: NormHooks
  ) -> MatrixView {
    let out = buffer(.normed, hooks.rows, architecture.width)
    if let norm {
      pass.normalise(sources, norm, into: out, layer: layer, hooks: hooks)
    } else {
      pass.copy(sources, into: out, layer: layer)
    }
    return out
  }

  private func add(
    _ branch: MatrixView, normalisedBy norm: LanguageModel.Norm?, hook: HookPoint,
    to stream: MatrixView
  ) {
    if let norm {
      pass.normalise(
        RowPointers(branch.pointer, count: rows.count, stride: branch.stride), norm,
        into: branch, layer: layer)
    }
    if block.branchScale != 1 { pass.scale(branch, by: block.branchScale, rows: rows) }
    pass.visit(hook, branch, rows)
    pass.add(branch, to: stream, rows: rows.count)
  }

  /// `W · x + b`, in the buffer `slot`.
  private func product(
    _ linear: PackedLinear, _ x: MatrixView, _ rows: RowTable, _ slot: ForwardPass.Slot
  ) -> MatrixView {
    let out = buffer(slot, rows, linear.outputs)
    pass.multiply(linear, x.pointer, rows: rows.count, into: out)
    return out
  }

  private func buffer(_ slot: ForwardPass.Slot, _ rows: RowTable, _ width: Int) -> MatrixView {
    MatrixView(pass.buffer(slot, rows.count * width), stride: width)
  }

  private func visits(_ hook: HookPoint) -> Bool { pass.hooks.visits(hook) }

  private func visit(_ site: HookPoint.Site, _ view: MatrixView, _ rows: RowTable) {
    pass.visit(HookPoint(site, layer: layer), view, rows)
  }
}
