import Synchronization
import TensorCore

/// One pass of a batch of requests through the model, layer by layer, over ragged rows: there is no
/// padding and no mask, and only rows that a result depends on are computed. What a block computes
/// stands in `TransformerBlock`; here are the batch, its rows and its results.
///
/// Buffers belong to the workspace. Inside a step threads write different rows, which is why the
/// class may cross them unchecked.
final class ForwardPass: @unchecked Sendable {
  /// Buffers of the workspace.
  enum Slot: Int, CaseIterable {
    case panel, state, nextState, normed, queries, keys, values, groupedQueries, groupedKeys,
      groupedValues, headOutput, headResults, branch, gate, up, attention, logits, scales
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
  let memory: ActivationMemory
  let shares: ActivationShares
  let multiply: PackedProduct
  let hooks: HookTable
  /// For each block, the table of each request; nil for blocks that are not rotated.
  let rotary: [[RotaryTable]?]
  var results: [ForwardResult]
  /// Rows whose residual stream is held, and that stream, `[rows, width]`.
  var stateRows: RowTable
  var state: UnsafeMutablePointer<Float>
  var stateSlot = Slot.state
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

  /// - Parameters:
  ///   - shared: how many positions each request leaves to the one before it; `plans` lack them.
  ///   - rotary: for each block, the table of each request.
  init(
    model: LanguageModel, requests: [ForwardRequest], plans: [RowPlan], shared: [Int],
    rotary: [[RotaryTable]?], pool: ThreadPool, workspace: Workspace, memory: ActivationMemory,
    shares: ActivationShares
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
    self.memory = memory
    self.shares = shares
    multiply = PackedProduct(pool: pool)
    hooks = HookTable(requests)
    self.rotary = rotary
    recordBuffers = requests.map { request in
      request.recordings.map { recording in
        let count = Self.shape(of: recording, request, model.architecture).reduce(1, *)
        return FloatBuffer(
          count: count, keeping: memory.lease(count * ActivationShares.floatBytes))
      }
    }
    results = requests.map { request in
      var result = ForwardResult()
      if request.keepsRun {
        result.run = RecordedRun(
          tokens: request.tokens, architecture: model.architecture, memory: memory)
      } else if request.extendsBase, let base = request.base {
        result.run = RecordedRun(
          extending: base, to: request.tokens, architecture: model.architecture, memory: memory)
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
    for layer in 0..<architecture.layers { TransformerBlock(layer, of: self).run() }
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
      try results[index].checkFinite(
        request.recordings, from: request.extendsBase ? request.base?.tokens.count ?? 0 : 0,
        model: model.path)
    }
    return results
  }

  /// Notes a value that is not finite.
  func noteNonFinite(before layer: Int) { nonFiniteLayer.min(layer, ordering: .relaxed) }

  /// Shape of what is recorded.
  static func shape(
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
      }
    }
    visit(HookPoint(.positionEmbedding), vectors, rows)
    add(vectors, to: out, rows: rows.count)
  }

  /// `out += added`, row by row.
  func add(_ added: MatrixView, to out: MatrixView, rows: Int) {
    let width = added.stride
    pool.forEachRange(of: rows, grain: 64) { part in
      for row in part {
        let (sum, added) = (out.row(row), added.row(row))
        for column in 0..<width { sum[column] += added[column] }
      }
    }
  }

  /// `x *= factor`.
  func scale(_ x: MatrixView, by factor: Float, rows: RowTable) {
    let width = x.stride
    pool.forEachRange(of: rows.count, grain: 64) { part in
      for row in part { for column in 0..<width { x.row(row)[column] *= factor } }
    }
  }

  /// Values beyond ±`limit` become that; those that are not numbers stay.
  func clip(_ x: MatrixView, to limit: Float, rows: RowTable) {
    let width = x.stride
    pool.forEachRange(of: rows.count, grain: 64) { part in
      for row in part {
        let values = x.row(row)
        for column in 0..<width where abs(values[column]) > limit {
          values[column] = values[column] < 0 ? -limit : limit
        }
      }
    }
  }

  /// `x = f(x)`, or `f(x) · factor`, with an MLP's activation `f`.
  func activate(
    _ x: MatrixView, _ activation: Activation, times factor: MatrixView? = nil, rows: RowTable
  ) {
    let width = x.stride
    pool.forEachRange(of: rows.count, grain: 16) { part in
      for row in part {
        if let factor {
          activation.gate(x.row(row), factor.row(row), count: width, into: x.row(row))
        } else {
          activation.apply(to: x.row(row), count: width, into: x.row(row))
        }
      }
    }
  }
}
