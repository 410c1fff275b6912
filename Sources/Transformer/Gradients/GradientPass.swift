import TensorCore

extension Engine {
  /// Derivatives of each request's objective by the activations at its hook points.
  ///
  /// A pass walks the blocks from the last to the first that is asked for. Of each it holds the input; what
  /// its backward pass needs beside that is kept from the forward pass as far as three quarters of
  /// `--memory` go, and computed again elsewhere. A request with a recorded run takes the inputs from there and
  /// needs no forward pass. Weights are constants.
  ///
  /// - Throws: `UserError` for a request that does not fit the model, for a hook point whose derivatives
  ///   are not kept, and where a value is not finite.
  public func gradients(_ requests: [GradientRequest]) throws -> [GradientResult] {
    for request in requests { try validate(request) }
    // Buffers of one block serve the next.
    BufferPool.shared.begin(limit: min(memory.limit / 4, 1 << 28))
    return try Compute.$pool.withValue(self.pool) {
      let product = PackedProduct(pool: self.pool)
      let transformer = DifferentiableTransformer(
        model.architecture, TransformerWeights(model), product: product)
      var results = [GradientResult?](repeating: nil, count: requests.count)
      for batch in gradientBatches(requests) {
        let pass = GradientPass(
          transformer, batch.map { requests[$0] }, path: model.path,
          memory: memory.limit / 4 * 3)
        for (index, result) in zip(batch, try pass.run()) { results[index] = result }
      }
      return results.compactMap { $0 }
    }
  }

  public func gradients(_ request: GradientRequest) throws -> GradientResult {
    try gradients([request])[0]
  }

  /// Sequences of a batch: logits over the whole vocabulary are held several times over.
  private static let mostSequences = 64

  /// Requests that go through the same blocks together, as many as the row budget allows.
  private func gradientBatches(_ requests: [GradientRequest]) -> [[Int]] {
    struct Kind: Hashable {
      let start: Int
      let isRecorded: Bool
    }
    var batches: [[Int]] = []
    var open: [Kind: (batch: Int, rows: Int)] = [:]
    for (index, request) in requests.enumerated() {
      let kind = Kind(
        start: request.start?.layer ?? 0,
        isRecorded: request.start == nil && request.base != nil)
      let rows = request.tokens.count - request.firstPosition
      if let found = open[kind], found.rows + rows <= rowBudget,
        batches[found.batch].count < Self.mostSequences
      {
        batches[found.batch].append(index)
        open[kind] = (found.batch, found.rows + rows)
      } else {
        open[kind] = (batches.count, rows)
        batches.append([index])
      }
    }
    return batches
  }

  private func validate(_ request: GradientRequest) throws {
    let architecture = model.architecture
    // Tokens, their number and the base are checked as those of a run.
    try validate(ForwardRequest(tokens: request.tokens, base: request.base))
    let tokens =
      switch request.objective {
      case .logitDifference(let right, let wrong): [right, wrong]
      case .logProbability(let token): [token]
      }
    for token in tokens where token < 0 || token >= architecture.vocabulary {
      throw UserError(
        "token \(token) is not in the vocabulary of \(architecture.vocabulary)", at: "objective",
        remedy: "use ids 0 to \(architecture.vocabulary - 1)")
    }
    if let start = request.start {
      guard (0..<architecture.layers).contains(start.layer), start.rows.shape.count == 2,
        start.rows.columns == architecture.width,
        (1...request.tokens.count).contains(start.rows.rows)
      else {
        throw UserError(
          "a start of shape \(start.rows.shape) before block \(start.layer) does not fit a "
            + "sequence of \(request.tokens.count) tokens", at: model.path)
      }
    }
    if let base = request.base, request.start == nil || request.firstPosition > 0 {
      guard base.tokens.count == request.tokens.count else {
        throw UserError(
          "the base run has \(base.tokens.count) tokens, the sequence \(request.tokens.count)",
          at: model.path, remedy: "record the sequence itself")
      }
    } else if request.firstPosition > 0 {
      throw UserError(
        "a start at position \(request.firstPosition) needs a run of the positions before it",
        at: model.path, remedy: "give a base run")
    }
    for hook in request.hooks {
      try hook.validate(for: architecture)
      guard hook.site.hasGradient else {
        let names = HookPoint.Site.withGradient.map(\.rawValue).joined(separator: ", ")
        throw UserError(
          "derivatives are not kept there", at: hook.description, remedy: "they are at \(names)",
          status: .usage)
      }
      let first = request.start?.layer ?? 0
      guard hook.layer ?? 0 >= first, hook.site != .embedding || first == 0 else {
        throw UserError(
          "the pass begins before block \(first)", at: hook.description,
          remedy: "name a later hook point")
      }
    }
  }
}

/// One walk forward, where it is needed, and back.
private struct GradientPass {
  private let transformer: DifferentiableTransformer
  private let requests: [GradientRequest]
  private let rows: SequenceRows
  private let path: String
  /// Bytes that may be kept from the forward pass.
  private let memory: Int
  private let first: Int

  private var architecture: Architecture { transformer.architecture }
  private var layers: Int { architecture.layers }

  /// - Precondition: requests begin with the same block, all or none with a recorded run.
  init(
    _ transformer: DifferentiableTransformer, _ requests: [GradientRequest], path: String,
    memory: Int
  ) {
    self.transformer = transformer
    self.requests = requests
    self.path = path
    self.memory = memory
    first = requests.first?.start?.layer ?? 0
    rows = SequenceRows(
      requests.map { ($0.tokens, $0.firstPosition, $0.base) }, transformer.architecture)
  }

  /// A block's input, and, where it is kept, all that its backward pass needs.
  private struct Step {
    /// Nil where the recorded runs hold it.
    let input: Tensor?
    var kept: (ValueWithPullback<Tensor>, [HookPoint.Site], PatternGradients?)?
  }

  func run() throws -> [GradientResult] {
    let (steps, stream) = try forward()
    let end = valueWithPullback(at: stream) { stream, _ in objectives(stream) }
    let values = end.value.values
    var gradient = end.pullback(Tensor(repeating: 1, shape: end.value.shape)).input
    var found: [HookPoint: Tensor] = [:]
    let wanted = Set(requests.flatMap(\.hooks))
    let lowest = wanted.map { $0.layer ?? 0 }.min() ?? layers
    var open = steps
    for layer in stride(from: layers - 1, through: max(lowest, first), by: -1) {
      guard let step = open.popLast() else { break }
      note(gradient, HookPoint(.residualPost, layer: layer), wanted, &found)
      let (pass, sites, patterns) =
        step.kept ?? self.step(layer, step.input ?? recorded(layer), wanted)
      let (input, watched) = pass.pullback(gradient)
      for (site, tensor) in zip(sites, watched) {
        if let tensor { note(tensor, HookPoint(site, layer: layer), wanted, &found) }
      }
      if let patterns {
        found[HookPoint(.pattern, layer: layer)] = patterns.weights
        found[HookPoint(.scores, layer: layer)] = patterns.scores
      }
      gradient = input
      try checkFinite(gradient, layer)
      note(gradient, HookPoint(.residualPre, layer: layer), wanted, &found)
    }
    // Learned positions are added behind it, with a factor of 1.
    if first == 0 { note(gradient, HookPoint(.embedding), wanted, &found) }
    return requests.indices.map { index in
      GradientResult(
        value: values[index], gradients: requests[index].hooks.map { part(of: found, $0, index) })
    }
  }

  /// Inputs of the blocks, and the last positions' residual stream after them, `[sequences, width]`.
  private func forward() throws -> (steps: [Step], stream: Tensor) {
    if requests.allSatisfy({ $0.start == nil && $0.base != nil }) {
      let steps = (0..<layers).map { _ in Step(input: nil) }
      return (steps, recorded(layers, rows: rows.last))
    }
    // Every block's input is held, whatever else is.
    let inputs = rows.count * architecture.width * (layers - first + 1) * MemoryLayout<Float>.stride
    guard inputs <= memory else {
      throw UserError(
        "derivatives of a prompt of \(requests[0].tokens.count) tokens need \(inputs >> 20) MB for the "
          + "blocks' inputs alone, allowed are \(memory >> 20) MB", at: "--memory",
        remedy: "use --memory \((inputs >> 20) * 4 / 3 + 1), or a shorter prompt")
    }
    var stream = start()
    var steps: [Step] = []
    let wanted = Set(requests.flatMap(\.hooks))
    // The last blocks are kept: they are the first that the backward pass needs.
    var left = memory - inputs
    let keeps =
      (first..<layers).reversed().prefix { layer in
        left -= bytes(ofBlock: layer)
        return left >= 0
      }.last ?? layers
    for layer in first..<layers {
      var step = Step(input: stream)
      if layer >= keeps {
        let kept = self.step(layer, stream, wanted)
        step.kept = kept
        stream = kept.0.value.detached()
      } else {
        var watch = BlockWatch()
        stream = transformer.block(layer, stream, rows, only: only(layer), watch: &watch)
      }
      try checkFinite(stream, layer + 1)
      steps.append(step)
    }
    return (steps, stream)
  }

  /// The residual stream that the pass begins with.
  private func start() -> Tensor {
    let starts = requests.map(\.start)
    guard starts.contains(where: { $0 != nil }) else { return transformer.embedding(rows) }
    return .concatenated(
      starts.enumerated().map { index, start in
        start?.rows
          ?? transformer.embedding(SequenceRows([requests[index].tokens], architecture))
      }, 0)
  }

  /// Rows of the recorded runs before block `layer`; all, or some.
  private func recorded(_ layer: Int, rows wanted: [Int]? = nil) -> Tensor {
    let width = architecture.width
    let sequences = zip(rows.sequences, requests)
    return Tensor(shape: [wanted?.count ?? rows.count, width]) { out in
      var row = 0
      for (sequence, request) in sequences {
        guard let base = request.base else { continue }
        for index in sequence.rows where wanted?.contains(index) ?? true {
          (out + row * width).update(
            from: base.residualRow(layer, index - sequence.rows.lowerBound + sequence.first),
            count: width)
          row += 1
        }
      }
    }
  }

  /// Of the last block only the rows that an objective reads.
  private func only(_ layer: Int) -> [Int]? { layer == layers - 1 ? rows.last : nil }

  private func step(_ layer: Int, _ input: Tensor, _ wanted: Set<HookPoint>) -> (
    ValueWithPullback<Tensor>, [HookPoint.Site], PatternGradients?
  ) {
    let sites = Set(wanted.filter { $0.layer == layer && $0.site.isInBlock }.map(\.site))
    var kept: [HookPoint.Site] = []
    let patterns =
      sites.contains(.pattern) || sites.contains(.scores)
      ? PatternGradients(rows.attention(layer, only: only(layer)), heads: architecture.heads) : nil
    let pass = valueWithPullback(at: input) { input, watch in
      var inner = BlockWatch(sites, watch, observer: patterns.map { $0.observe })
      let output = transformer.block(layer, input, rows, only: only(layer), watch: &inner)
      watch = inner.watch
      kept = inner.sites
      return output
    }
    return (pass, kept, patterns)
  }

  /// Values of the requests' objectives from the last rows, `[sequences]`.
  private func objectives(_ stream: Tensor) -> Tensor {
    let normed = transformer.finalNormalised(stream)
    var values = [Tensor?](repeating: nil, count: requests.count)
    var whole: [(index: Int, token: Int)] = []
    for (index, request) in requests.enumerated() {
      switch request.objective {
      case .logitDifference(let right, let wrong):
        let two = transformer.logits(normed.slice(0, index..<index + 1), of: [right, wrong])
        values[index] = (two * Tensor([1, -1], shape: [2])).sum(over: [1])
      case .logProbability(let token): whole.append((index, token))
      }
    }
    if !whole.isEmpty {
      // Together, so that the unembedding is unpacked once.
      let logits = transformer.logits(normed.gathered(whole.map(\.index)))
      let totals = logits.logSumExp()
      for (row, (index, token)) in whole.enumerated() {
        let logit = logits.slice(0, row..<row + 1).slice(1, token..<token + 1)
        values[index] = logit - totals.slice(0, row..<row + 1)
      }
    }
    return .concatenated(values.compactMap { $0?.reshaped([1]) }, 0)
  }

  private func note(
    _ tensor: Tensor, _ hook: HookPoint, _ wanted: Set<HookPoint>,
    _ found: inout [HookPoint: Tensor]
  ) {
    if wanted.contains(hook) { found[hook] = tensor }
  }

  /// One request's rows of what was found at `hook`; zeros where nothing depends on it.
  private func part(of found: [HookPoint: Tensor], _ hook: HookPoint, _ index: Int) -> Tensor {
    let sequence = rows.sequences[index]
    let positions = sequence.rows.count
    guard let width = hook.width(in: architecture) else {
      return (found[hook] as Tensor?).map { patternPart($0, index) }
        ?? Tensor(zeros: [architecture.heads, positions, sequence.tokens.count])
    }
    guard let all = found[hook] else { return Tensor(zeros: [positions, width]) }
    if all.shape[0] == rows.count { return all.slice(0, sequence.rows) }
    // Of the last block only the last position's row was computed.
    return all.slice(0, index..<index + 1).padded(0, before: positions - 1, after: 0)
  }

  private func patternPart(_ all: Tensor, _ index: Int) -> Tensor {
    let sequences = rows.sequences
    func size(_ i: Int, _ queries: Int) -> Int {
      architecture.heads * queries * sequences[i].tokens.count
    }
    let isLast = all.count == sequences.indices.reduce(0) { $0 + size($1, 1) }
    func queries(_ i: Int) -> Int { isLast ? 1 : sequences[i].rows.count }
    let start = (0..<index).reduce(0) { $0 + size($1, queries($1)) }
    let (count, keys) = (queries(index), sequences[index].tokens.count)
    let own = all.slice(0, start..<start + size(index, count))
      .reshaped([architecture.heads, count, keys])
    return own.padded(1, before: sequences[index].rows.count - count, after: 0)
  }

  private func checkFinite(_ x: Tensor, _ layer: Int) throws {
    let isFinite = x.withPointer { values in
      // A sum is finite only if all its parts are.
      (0..<x.rows).allSatisfy { row in
        let start = values + row * x.columns
        return dot(start, start, count: x.columns).isFinite
      }
    }
    guard isFinite else {
      throw UserError(
        "activations or their derivatives are not finite before block \(layer)", at: path,
        remedy: "the file is damaged, or the start is too large")
    }
  }

  /// Bytes that a block's forward pass keeps for the backward one beside its input: the inputs of its second
  /// norm, of the attention and of the activation.
  private func bytes(ofBlock layer: Int) -> Int {
    let block = architecture.blocks[layer]
    var values =
      architecture.width + architecture.queryWidth + 2 * architecture.keyWidth
      + (block.mlp.isGated ? 2 : 1) * architecture.hiddenWidth
    if block.headNorm != nil { values += architecture.queryWidth + architecture.keyWidth }
    if block.attentionPostNorm != nil { values += architecture.width }
    if block.mlpPostNorm != nil { values += architecture.width }
    return rows.count * values * MemoryLayout<Float>.stride
  }
}

/// Takes the derivatives by attention weights and scores as the threads of a backward pass find them:
/// sequence by sequence `[heads, queries, keys]`.
private final class PatternGradients: Sendable {
  private let weightBuffer: FloatBuffer
  private let scoreBuffer: FloatBuffer
  private let offsets: [Int]
  private let queries: [Int]
  private let count: Int

  init(_ sequences: [CausalAttention.Sequence], heads: Int) {
    var offsets = [0]
    for sequence in sequences {
      let keys = sequence.keys.count + (sequence.past?.count ?? 0)
      offsets.append(offsets[offsets.count - 1] + heads * sequence.queries.count * keys)
    }
    self.offsets = offsets
    queries = sequences.map(\.queries.count)
    count = offsets[sequences.count]
    weightBuffer = FloatBuffer(count: count)
    scoreBuffer = FloatBuffer(count: count)
  }

  var weights: Tensor { Tensor(adopting: weightBuffer, shape: [count]) }
  var scores: Tensor { Tensor(adopting: scoreBuffer, shape: [count]) }

  @Sendable func observe(_ observation: CausalAttention.Observation) {
    let size = observation.queries.count * observation.keys
    let place =
      offsets[observation.sequence]
      + (observation.head * queries[observation.sequence] + observation.queries.lowerBound)
      * observation.keys
    (weightBuffer.pointer + place).update(from: observation.patternGradient, count: size)
    (scoreBuffer.pointer + place).update(from: observation.scoreGradient, count: size)
  }
}
