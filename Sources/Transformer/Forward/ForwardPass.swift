import Synchronization
import TensorCore

/// One pass of a batch of requests through the model, layer by layer, over ragged rows: there is no
/// padding and no mask, and only rows that a result depends on are computed.
///
/// Buffers belong to the workspace. Inside a step threads write different rows, which is why the
/// class may cross them unchecked.
final class ForwardPass: @unchecked Sendable {
  /// Buffers of the workspace.
  enum Slot: Int, CaseIterable {
    case panel, state, nextState, normed, queries, keys, values, groupedQueries, groupedKeys,
      groupedValues, headOutput, branch, gate, up, attention, logits
  }

  let model: LanguageModel
  let architecture: Architecture
  let requests: [ForwardRequest]
  let plans: [RowPlan]
  /// For each request, who computes which of its positions, first position first: itself, and for what
  /// it shares with them requests before it.
  let owners: [[Owner]]
  let pool: ThreadPool
  let workspace: Workspace
  let multiply: PackedProduct
  let hooks: HookTable
  /// nil where positions are learned.
  let rotary: RotaryTable?
  var results: [ForwardResult]
  /// Rows whose residual stream is held, and that stream, `[rows, width]`.
  var stateRows: RowTable
  var state: UnsafeMutablePointer<Float>
  private var stateSlot = Slot.state
  /// The buffer of the two that does not hold the state.
  var spareSlot: Slot { stateSlot == .state ? .nextState : .state }
  /// Where recordings are written, request by request.
  let recordBuffers: [[FloatBuffer]]
  /// First block before which a value was not finite, if any.
  private let nonFiniteLayer = Atomic(Int.max)

  /// Positions that one request computes, for itself and for those after it that begin alike.
  struct Owner {
    let request: Int
    let positions: Range<Int>
  }

  /// - Parameter shared: how many positions each request leaves to the one before it; `plans` lack
  ///   them.
  init(
    model: LanguageModel, requests: [ForwardRequest], plans: [RowPlan], shared: [Int],
    pool: ThreadPool, workspace: Workspace
  ) {
    self.model = model
    architecture = model.architecture
    self.requests = requests
    self.plans = plans
    var owners: [[Owner]] = []
    for (index, request) in requests.enumerated() {
      let earlier = shared[index] == 0 ? [] : owners[index - 1]
      owners.append(
        earlier.compactMap { owner in
          let positions = owner.positions.clamped(to: 0..<shared[index])
          return positions.isEmpty ? nil : Owner(request: owner.request, positions: positions)
        } + [Owner(request: index, positions: shared[index]..<request.tokens.count)])
    }
    self.owners = owners
    self.pool = pool
    self.workspace = workspace
    multiply = PackedProduct(pool: pool, workspace: workspace, slot: Slot.panel.rawValue)
    hooks = HookTable(requests)
    let longest = requests.map(\.tokens.count).max() ?? 0
    rotary = model.architecture.rotary.map { RotaryTable($0, length: longest) }
    recordBuffers = requests.map { request in
      request.recordings.map { recording in
        FloatBuffer(count: Self.shape(of: recording, request, model.architecture).reduce(1, *))
      }
    }
    results = requests.map { request in
      var result = ForwardResult()
      if request.keepsRun {
        result.run = RecordedRun(tokens: request.tokens, architecture: model.architecture)
      }
      return result
    }
    stateRows = RowTable(plans.map { $0.state[0] })
    state = workspace.floats(Slot.state.rawValue, 0)
  }

  func buffer(_ slot: Slot, _ count: Int) -> UnsafeMutablePointer<Float> {
    workspace.floats(slot.rawValue, count)
  }

  /// - Throws: `UserError` where activations overflow.
  func run() throws -> [ForwardResult] {
    embed()
    for layer in 0..<architecture.layers {
      let block = model.weights.blocks[layer]
      let keyRows = RowTable(plans.map { $0.keyValue[layer] })
      let rows = RowTable(plans.map { $0.full[layer] })
      var stream = state
      if keyRows.count > 0 || rows.count > 0 {
        let mixed = attend(layer, block, keyRows: keyRows, rows: rows)
        if rows.count > 0 {
          stream = residualStream(of: rows, layer: layer)
          addBranches(layer, block, mixed, to: stream, rows: rows)
        }
      }
      advance(to: layer + 1, from: stream, rows: rows)
    }
    unembed()
    let overflow = nonFiniteLayer.load(ordering: .relaxed)
    guard overflow == .max else {
      throw UserError(
        "activations are not finite before block \(overflow)", at: model.path,
        remedy: "the interventions are too large or the file is damaged")
    }
    for (index, request) in requests.enumerated() {
      results[index].recorded = zip(request.recordings, recordBuffers[index]).map {
        Tensor(adopting: $1, shape: Self.shape(of: $0, request, architecture))
      }
      try results[index].checkFinite(request.recordings, model: model.path)
    }
    return results
  }

  /// Adds the outputs of attention and MLP to the residual stream.
  ///
  /// - Parameters:
  ///   - mixed: outputs of the heads, `[rows, heads · headWidth]`.
  ///   - stream: `[rows, width]`, as before the block.
  private func addBranches(
    _ layer: Int, _ block: LanguageModel.Block, _ mixed: UnsafePointer<Float>,
    to stream: UnsafeMutablePointer<Float>, rows: RowTable
  ) {
    let width = architecture.width
    let normed = buffer(.normed, rows.count * width)
    let sources = RowPointers(stream, count: rows.count, stride: width)
    if architecture.isParallel {
      // The MLP reads the stream that the attention is about to be added to.
      normalise(sources, block.mlpNorm, into: normed, layer: layer)
    }
    addBranch(
      block.output, mixed, to: stream, rows: rows, postNorm: block.attentionPostNorm,
      hook: HookPoint(.attentionOutput, layer: layer))
    if !architecture.isParallel {
      visit(HookPoint(.residualMiddle, layer: layer), MatrixView(stream, stride: width), rows)
      normalise(sources, block.mlpNorm, into: normed, layer: layer)
    }
    feedForward(layer, block, normed, to: stream, rows: rows)
  }

  private static func shape(
    of recording: Recording, _ request: ForwardRequest, _ architecture: Architecture
  ) -> [Int] {
    let positions = recording.positions?.count ?? request.tokens.count
    return recording.hook.width(in: architecture).map { [positions, $0] }
      ?? [positions, architecture.heads, request.tokens.count]
  }

  /// Token embeddings of the rows that the first block needs.
  private func embed() {
    let width = architecture.width
    let rows = stateRows
    state = buffer(.state, max(rows.count * width, 1))
    let out = MatrixView(state, stride: width)
    let embedding = model.weights.embedding
    let scale = architecture.embeddingScale
    for (index, request) in requests.enumerated() {
      let set = rows.sets[index]
      let first = rows.offsets[index]
      pool.forEachRange(of: set.count, grain: 64) { part in
        for offset in part {
          let token = request.tokens[set[offset]]
          let row = out.row(first + offset)
          embedding.unpackRows(token..<token + 1, into: row)
          if scale != 1 { for column in 0..<width { row[column] *= scale } }
        }
      }
    }
    visit(HookPoint(.embedding), out, rows)
    if let table = model.weights.positions { addPositions(table, to: out, rows: rows) }
    enter(layer: 0)
  }

  /// Adds the learned vectors of positions to the token embeddings.
  private func addPositions(_ table: StoredMatrix, to out: MatrixView, rows: RowTable) {
    let width = architecture.width
    let vectors = MatrixView(buffer(.branch, rows.count * width), stride: width)
    let positions = rows.positions
    pool.forEachRange(of: rows.count, grain: 64) { part in
      for row in part {
        let position = Int(positions[row])
        table.unpackRows(position..<position + 1, into: vectors.row(row))
        let (sum, added) = (out.row(row), vectors.row(row))
        for column in 0..<width { sum[column] += added[column] }
      }
    }
  }

  /// Turns the residual stream after a block into the rows that the next one holds.
  ///
  /// - Parameter stream: `[rows, width]`, the computed rows.
  private func advance(
    to layer: Int, from stream: UnsafeMutablePointer<Float>, rows: RowTable
  ) {
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
              out.update(
                from: base.residual[layer].pointer + set[index] * width, count: width)
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
    visit(
      HookPoint(.residualPost, layer: layer - 1), MatrixView(state, stride: width), next)
    enter(layer: layer)
  }

  /// What happens on the way into block `layer`, or, after the last, out of it.
  private func enter(layer: Int) {
    let width = architecture.width
    if layer < architecture.layers {
      visit(
        HookPoint(.residualPre, layer: layer), MatrixView(state, stride: width), stateRows)
    }
    for (index, result) in results.enumerated() {
      guard let run = result.run else { continue }
      run.residual[layer].pointer.update(
        from: state + stateRows.offsets[index] * width, count: run.tokens.count * width)
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
          sources.append(UnsafePointer(base.residual[layer].pointer + set[index] * width))
        } else {
          preconditionFailure("a row without a base is not held")
        }
      }
    }
    return RowPointers(sources)
  }

  /// Normalised rows, `[rows, width]`, which may be the sources; notes where a value was not finite.
  func normalise(
    _ sources: RowPointers, _ norm: LanguageModel.Norm, into out: UnsafeMutablePointer<Float>,
    layer: Int
  ) {
    let width = architecture.width
    let epsilon = architecture.norm.epsilon
    let target = MatrixView(out, stride: width)
    // A norm without bias never reads the second pointer.
    norm.weight.withPointer { weight in
      (norm.bias ?? norm.weight).withPointer { bias in
        let weight = MatrixView(UnsafeMutablePointer(mutating: weight), stride: 0)
        let bias = MatrixView(UnsafeMutablePointer(mutating: bias), stride: 0)
        let hasBias = norm.bias != nil
        pool.forEachRange(of: sources.pointers.count, grain: 64) { part in
          for row in part {
            let scale =
              hasBias
              ? layerNormalise(
                sources.pointers[row], weight: weight.pointer, bias: bias.pointer,
                epsilon: epsilon, count: width, into: target.row(row))
              : rmsNormalise(
                sources.pointers[row], weight: weight.pointer, epsilon: epsilon, count: width,
                into: target.row(row))
            if !(scale > 0 && scale.isFinite) { nonFiniteLayer.min(layer, ordering: .relaxed) }
          }
        }
      }
    }
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
